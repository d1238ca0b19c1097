#include "arka/server/config_documents.h"

#include <sstream>
#include <string_view>

#include "arka/server/key_table.h"

namespace arka {
namespace {

constexpr size_t kLineWidth = 100;

constexpr std::string_view kExampleIntroduction =
    R"(# Every setting of Arka with its default. All of it is optional: keep what you change.
#
#   arka serve --config FILE
#
# Sizes take B, KB, MB, GB, TB (each 1024 times the one before), durations us, ms, s, m, h, d.
# Environment variables (ARKA_WRITE_BUFFER__FLUSH_INTERVAL) override this file, and
# --set write_buffer.flush_interval=10ms overrides both. docs/reference/configuration.md has more.
)";

constexpr std::string_view kReferenceIntroduction =
    R"(# Configuration

Arka runs without any configuration. Settings come from four places; a later one overrides an
earlier one:

1. the defaults below;
2. a YAML file, `arka serve --config FILE` ([an example](../../config/arka.example.yaml) holds
   every key);
3. environment variables: `ARKA_`, then the key in capitals, with two underscores for each dot:
   `ARKA_WRITE_BUFFER__FLUSH_INTERVAL=10ms`;
4. `--set KEY=VALUE`, as often as you like: `--set write_buffer.flush_interval=10ms`.

An unknown key, a value that does not parse, or values that contradict each other stop the start
with a message that names the place and, for a key, the nearest one that exists. The same holds
for environment variables that begin with `ARKA_` and contain two underscores; no others are
looked at.

**Sizes** are a number and a unit: `B`, `KB`, `MB`, `GB`, `TB`, each 1024 times the one before
(`KiB`, `MiB`, `GiB`, `TiB` mean the same). **Durations** are a number and a unit: `us`, `ms`, `s`,
`m`, `h`, `d`. `0` needs no unit. Decimals (`1.5s`) are fine.

Secrets are never printed. Better than in a file, keep them in the environment:
`ARKA_OBJECT_STORE__SECRET_KEY`.
)";

/// `text` as comment lines behind `indent`.
std::string Comment(std::string_view indent, const std::string& text) {
  std::istringstream words(text);
  std::string lines;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > kLineWidth) {
      lines += line + "\n";
      line.clear();
    }
    line += (line.empty() ? std::string(indent) + "# " : " ") + word;
  }
  return lines + line + "\n";
}

/// A value as YAML: in quotes where it is empty.
std::string YamlValue(const std::string& text) { return text.empty() ? "\"\"" : text; }

/// Calls `on_section` before the first key of each section, and `on_key` for every key.
template <typename OnSection, typename OnKey>
void ForEachKey(OnSection on_section, OnKey on_key) {
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (ConfigSectionOf(key.name) != section) {
      section = ConfigSectionOf(key.name);
      on_section(section);
    }
    on_key(key);
  }
}

}  // namespace

std::string RenderExampleFile() {
  std::string text(kExampleIntroduction);
  ForEachKey(
      [&](std::string_view section) {
        text += "\n# " + std::string(ConfigSectionComment(section)) + ".\n";
        text += std::string(section) + ":\n";
      },
      [&](const ConfigKey& key) {
        // "server.tls.cert" stands under "server:" as "tls.cert".
        const std::string name = key.name.substr(ConfigSectionOf(key.name).size() + 1);
        text += Comment("  ", key.comment);
        if (!key.derived_default.empty()) {
          text += Comment("  ", "Default: " + key.derived_default);
        }
        text += "  " + name + ": " + YamlValue(key.get(Config())) + "\n";
      });
  return text;
}

std::string RenderReference() {
  std::string text(kReferenceIntroduction);
  ForEachKey(
      [&](std::string_view section) {
        text += "\n## " + std::string(ConfigSectionComment(section)) + ": `" +
                std::string(section) + "`\n\n";
        text += "| key | default | value | |\n| --- | --- | --- | --- |\n";
      },
      [&](const ConfigKey& key) {
        const std::string shown = key.DefaultText();
        text += "| `" + key.name + "` | " + (shown.empty() ? "none" : "`" + shown + "`") + " | " +
                key.type + " | " + key.comment + " |\n";
      });
  return text;
}

}  // namespace arka

#include "arka/server/config.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "arka/io/posix_fs.h"
#include "arka/server/config_check.h"
#include "arka/server/config_file.h"
#include "arka/server/key_spelling.h"
#include "arka/server/key_table.h"

namespace arka {
namespace {

/// A Config being put together, and where each of its values came from.
class ConfigBuilder {
 public:
  Status Set(const std::string& key_name, std::string_view value, const std::string& origin) {
    const ConfigKey* key = FindConfigKey(key_name);
    if (key == nullptr) return Unknown(key_name, AllNames(), origin);
    ARROW_RETURN_NOT_OK(WithContext(key->set(config_, value), origin + ": " + key_name));
    origins_[key_name] = origin;
    return Status::OK();
  }

  Status SetFromEnvironment(const std::string& variable, std::string_view value) {
    std::vector<std::string> names;
    for (const ConfigKey& key : ConfigKeys()) {
      names.push_back(EnvironmentNameOf(key.name));
      if (names.back() == variable) return Set(key.name, value, variable);
    }
    return Unknown(variable, names, "environment");
  }

  /// Fills in the defaults that depend on other keys, and checks the whole.
  Result<Config> Build() && {
    const std::string& data_dir = config_.server.data_dir;
    const auto set_default = [](std::string& value, std::string otherwise) {
      if (value.empty()) value = std::move(otherwise);
    };
    set_default(config_.object_store.uri, "file://" + data_dir + "/objects");
    if (config_.catalog.type == "sqlite") {
      set_default(config_.catalog.uri, data_dir + "/catalog.db");
    }
    set_default(config_.catalog.warehouse, "file://" + data_dir + "/warehouse");
    set_default(config_.query.file_cache_dir, data_dir + "/query-files");
    constexpr std::string_view kSqliteScheme = "sqlite:///";  // then a path, as SQLAlchemy has it
    if (config_.catalog.uri.starts_with(kSqliteScheme)) {
      config_.catalog.uri.erase(0, kSqliteScheme.size());
    }
    ARROW_RETURN_NOT_OK(CheckConfig(config_, [this](std::string_view key) {
      const auto found = origins_.find(key);
      return found == origins_.end() ? "the default" : found->second;
    }));
    return std::move(config_);
  }

 private:
  static std::vector<std::string> AllNames() {
    std::vector<std::string> names;
    for (const ConfigKey& key : ConfigKeys()) names.push_back(key.name);
    return names;
  }

  static Status Unknown(const std::string& name, const std::vector<std::string>& known,
                        const std::string& origin) {
    const std::string nearest = NearestName(name, known);
    return Error(ErrorCode::kInvalidRequest, origin, ": unknown key '", name, "'",
                 nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
  }

  Config config_;
  std::map<std::string, std::string, std::less<>> origins_;
};

Result<std::string> ReadText(const std::string& path) {
  PosixFs fs;
  ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, fs.Open(path, OpenMode::kRead));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  std::string text(static_cast<size_t>(size), '\0');
  ARROW_ASSIGN_OR_RAISE(const size_t count, file->Read(0, std::as_writable_bytes(std::span(text))));
  text.resize(count);
  return text;
}

Status ApplyFile(const std::string& path, ConfigBuilder& builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadText(path));
  ARROW_ASSIGN_OR_RAISE(const auto entries, ParseConfigFile(text, path));
  for (const ConfigFileEntry& entry : entries) {
    const std::string origin = path + ":" + std::to_string(entry.line);
    ARROW_RETURN_NOT_OK(builder.Set(entry.key, entry.value, origin));
  }
  return Status::OK();
}

}  // namespace

Environment ProcessEnvironment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<Config> LoadConfig(const std::optional<std::string>& path,
                          std::span<const std::string> settings, const Environment& environment) {
  ConfigBuilder builder;
  if (path) ARROW_RETURN_NOT_OK(ApplyFile(*path, builder));
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("ARKA_") || name.find("__") == std::string::npos) continue;
    ARROW_RETURN_NOT_OK(builder.SetFromEnvironment(name, value));
  }
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return Error(ErrorCode::kInvalidRequest, "--set ", setting, ": expected key=value");
    }
    ARROW_RETURN_NOT_OK(
        builder.Set(setting.substr(0, equals), setting.substr(equals + 1), "--set"));
  }
  return std::move(builder).Build();
}

}  // namespace arka

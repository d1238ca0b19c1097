// A configuration of any bytes: an error that names where, or a configuration, never a crash.
//
// The input is a YAML file; what follows a line `---set` in it are settings, one a line.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/check.h"
#include "arka/server/config.h"
#include "arka/server/config_file.h"

namespace arka {
namespace {

constexpr std::string_view kSettingsMark = "---set\n";
constexpr std::string_view kName = "fuzz.yaml";

void CheckError(const Status& status) { ARKA_CHECK(!status.message().empty()); }

void Load(std::string_view input) {
  const size_t mark = input.find(kSettingsMark);
  const auto entries = ParseConfigFile(std::string(input.substr(0, mark)), std::string(kName));
  if (entries.ok()) {
    for (const ConfigFileEntry& entry : *entries) ARKA_CHECK(entry.line > 0);
  } else {
    ARKA_CHECK(entries.status().message().starts_with(kName));
  }
  std::vector<std::string> settings;
  if (entries.ok()) {
    for (const ConfigFileEntry& entry : *entries) settings.push_back(entry.key + "=" + entry.value);
  }
  std::string_view rest =
      mark == std::string_view::npos ? "" : input.substr(mark + kSettingsMark.size());
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    settings.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const auto config = LoadConfig({}, settings, {});
  if (!config.ok()) CheckError(config.status());
}

}  // namespace
}  // namespace arka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  arka::Load({reinterpret_cast<const char*>(data), size});
  return 0;
}

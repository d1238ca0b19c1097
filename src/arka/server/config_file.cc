#include "arka/server/config_file.h"

#include <map>

#include <yaml-cpp/yaml.h>

namespace arka {
namespace {

// Far more than there are keys. An anchor may stand inside itself, and aliases of aliases unfold
// without end.
constexpr int kMaxDepth = 8;
constexpr size_t kMaxEntries = 1000;

class Flattener {
 public:
  explicit Flattener(const std::string& file_name) : file_name_(file_name) {}

  Status Add(const YAML::Node& node, const std::string& prefix, int depth = 0) {
    for (const auto& entry : node) {
      const int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) return Refuse(line, "expected a key");
      const std::string key =
          prefix.empty() ? entry.first.Scalar() : prefix + "." + entry.first.Scalar();
      if (entry.second.IsMap()) {
        if (depth == kMaxDepth) return Refuse(line, "'" + key + "' is nested too deep");
        ARROW_RETURN_NOT_OK(Add(entry.second, key, depth + 1));
        continue;
      }
      if (entry.second.IsNull()) return Refuse(line, "'" + key + "' has no value");
      if (!entry.second.IsScalar()) return Refuse(line, "'" + key + "' takes one value, no list");
      const auto [first, is_new] = first_lines_.emplace(key, line);
      if (!is_new) {
        return Refuse(
            line, "'" + key + "' is given twice, first in line " + std::to_string(first->second));
      }
      if (entries_.size() == kMaxEntries) return Refuse(line, "more keys than there can be");
      entries_.push_back({key, entry.second.Scalar(), line});
    }
    return Status::OK();
  }

  Status Refuse(int line, const std::string& why) const {
    return Error(ErrorCode::kInvalidRequest, file_name_, ":", line, ": ", why);
  }

  std::vector<ConfigFileEntry> TakeEntries() { return std::move(entries_); }

 private:
  const std::string& file_name_;
  std::vector<ConfigFileEntry> entries_;
  std::map<std::string, int> first_lines_;
};

}  // namespace

Result<std::vector<ConfigFileEntry>> ParseConfigFile(const std::string& yaml,
                                                     const std::string& name) {
  Flattener flattener(name);
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) return std::vector<ConfigFileEntry>();  // an empty file
    if (!root.IsMap()) return flattener.Refuse(1, "expected sections such as 'server:'");
    ARROW_RETURN_NOT_OK(flattener.Add(root, ""));
  } catch (const YAML::Exception& error) {  // yaml-cpp has no other way to fail
    return flattener.Refuse(error.mark.line + 1, error.msg);
  }
  return flattener.TakeEntries();
}

}  // namespace arka

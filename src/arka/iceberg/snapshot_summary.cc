#include "arka/iceberg/snapshot_summary.h"

#include <charconv>
#include <optional>

namespace arka::iceberg {
namespace {

std::optional<int64_t> ParseCount(const std::string& text) {
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

}  // namespace

std::map<std::string, std::string> AppendSummary(const Snapshot* parent,
                                                 const std::vector<DataFile>& files,
                                                 const std::map<std::string, std::string>& own) {
  std::map<std::string, std::string> summary = own;
  summary["operation"] = "append";
  int64_t records = 0;
  int64_t bytes = 0;
  for (const DataFile& file : files) {
    records += file.record_count;
    bytes += file.file_size_in_bytes;
  }
  const auto count = static_cast<int64_t>(files.size());

  const auto set_added = [&](const char* key, int64_t added) {
    if (added > 0) summary[key] = std::to_string(added);
  };
  set_added("added-data-files", count);
  set_added("added-records", records);
  set_added("added-files-size", bytes);

  const auto set_total = [&](const char* key, int64_t added) {
    summary.erase(key);
    std::optional<int64_t> before = 0;
    if (parent != nullptr) {
      const auto found = parent->summary.find(key);
      before = found == parent->summary.end() ? std::nullopt : ParseCount(found->second);
    }
    if (before) summary[key] = std::to_string(*before + added);
  };
  set_total("total-data-files", count);
  set_total("total-records", records);
  set_total("total-files-size", bytes);
  set_total("total-delete-files", 0);
  set_total("total-position-deletes", 0);
  set_total("total-equality-deletes", 0);
  return summary;
}

}  // namespace arka::iceberg

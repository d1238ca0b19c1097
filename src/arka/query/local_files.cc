#include "arka/query/local_files.h"

#include <string_view>
#include <utility>

namespace arka::query {
namespace {

// The path of a file of this machine.
std::optional<std::string> PathOf(std::string_view uri) {
  constexpr std::string_view kScheme = "file:";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  while (uri.starts_with("//")) uri.remove_prefix(1);
  return std::string(uri);
}

}  // namespace

Result<std::vector<std::optional<LocalFile>>> LocalFiles::Find(
    const std::vector<iceberg::DataFile>& files, DataFileCache::Deadline deadline) {
  std::vector<std::optional<LocalFile>> found(files.size());
  std::vector<iceberg::DataFile> elsewhere;
  std::vector<size_t> places;  // of what is elsewhere
  for (size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    if (auto path = PathOf(file.file_path)) {
      found[i] = LocalFile{*std::move(path), false};
    } else if (copies_ && file.file_format == "PARQUET" && !file.key_metadata) {
      elsewhere.push_back(file);
      places.push_back(i);
    }
  }
  if (elsewhere.empty()) return found;
  ARROW_ASSIGN_OR_RAISE(auto paths, copies_->Fetch(elsewhere, deadline));
  for (size_t i = 0; i < places.size(); ++i) {
    found[places[i]] = LocalFile{std::move(paths[i]), true};
  }
  return found;
}

}  // namespace arka::query

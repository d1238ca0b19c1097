#include "arka/iceberg/manifest_merge.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace arka::iceberg {
namespace {

constexpr int64_t kDefaultMinCount = 100;
constexpr int64_t kDefaultTargetBytes = 8 << 20;

int64_t NumberProperty(const TableMetadata& base, const char* key, int64_t otherwise) {
  const auto found = base.properties.find(key);
  if (found == base.properties.end()) return otherwise;
  const std::string& text = found->second;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool parsed = error == std::errc() && end == text.data() + text.size() && number > 0;
  return parsed ? number : otherwise;
}

bool IsEnabled(const TableMetadata& base) {
  const auto found = base.properties.find("commit.manifest-merge.enabled");
  return found == base.properties.end() || found->second != "false";
}

/// Runs of indices into the manifests that are merged into one each, in order.
std::vector<std::vector<size_t>> Groups(const TableMetadata& base,
                                        const std::vector<ManifestFile>& manifests,
                                        int64_t target_bytes) {
  std::vector<std::vector<size_t>> groups;
  int64_t group_bytes = 0;
  for (size_t i = 0; i < manifests.size(); ++i) {
    const ManifestFile& manifest = manifests[i];
    const PartitionSpec* spec = base.default_spec();
    const bool mergeable = manifest.content == ManifestContent::kData &&
                           manifest.partition_spec_id == spec->spec_id &&
                           spec->is_unpartitioned() && manifest.manifest_length < target_bytes;
    if (!mergeable) continue;
    if (groups.empty() || group_bytes + manifest.manifest_length > target_bytes) {
      groups.emplace_back();
      group_bytes = 0;
    }
    groups.back().push_back(i);
    group_bytes += manifest.manifest_length;
  }
  return groups;
}

Result<ManifestFile> MergeGroup(const std::vector<ManifestFile>& manifests,
                                const std::vector<size_t>& group, SnapshotFiles& files) {
  ARROW_ASSIGN_OR_RAISE(ManifestWriter writer,
                        files.NewManifest(manifests[group[0]].partition_spec_id));
  for (const size_t index : group) {
    ARROW_ASSIGN_OR_RAISE(auto entries, files.ReadEntries(manifests[index]));
    for (ManifestEntry& entry : entries) {
      if (!entry.is_live()) continue;
      if (!entry.sequence_number || !entry.data_file.partition.empty()) {
        return Error(ErrorCode::kCorruption, "iceberg: an entry of ",
                     manifests[index].manifest_path, " cannot be merged");
      }
      entry.status = ManifestEntryStatus::kExisting;
      ARROW_RETURN_NOT_OK(writer.Append(entry));
    }
  }
  return files.StoreManifest(std::move(writer));
}

}  // namespace

Result<std::vector<ManifestFile>> MergeManifests(const TableMetadata& base,
                                                 const std::vector<ManifestFile>& manifests,
                                                 SnapshotFiles& files) {
  const int64_t target =
      NumberProperty(base, "commit.manifest.target-size-bytes", kDefaultTargetBytes);
  const auto groups = Groups(base, manifests, target);
  int64_t small = 0;
  for (const auto& group : groups) small += static_cast<int64_t>(group.size());
  const int64_t wanted =
      NumberProperty(base, "commit.manifest.min-count-to-merge", kDefaultMinCount);
  if (!IsEnabled(base) || small < wanted) return manifests;

  const size_t written_before = files.written().size();
  std::vector<ManifestFile> merged = manifests;
  std::vector<bool> gone(manifests.size(), false);
  for (const auto& group : groups) {
    if (group.size() == 1) continue;
    Result<ManifestFile> one = MergeGroup(manifests, group, files);
    if (!one.ok()) {
      files.Discard(written_before);
      return one.status();
    }
    merged[group[0]] = *std::move(one);
    for (size_t i = 1; i < group.size(); ++i) gone[group[i]] = true;
  }
  std::vector<ManifestFile> left;
  for (size_t i = 0; i < merged.size(); ++i) {
    const bool has_files = merged[i].added_files_count + merged[i].existing_files_count > 0;
    const bool is_new = !(merged[i] == manifests[i]);
    if (!gone[i] && (has_files || !is_new)) left.push_back(std::move(merged[i]));
  }
  return left;
}

}  // namespace arka::iceberg

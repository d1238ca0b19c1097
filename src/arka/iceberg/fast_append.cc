#include "arka/iceberg/fast_append.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

#include "arka/base/check.h"
#include "arka/iceberg/manifest_merge.h"
#include "arka/iceberg/snapshot_files.h"
#include "arka/iceberg/snapshot_summary.h"

namespace arka::iceberg {
namespace {

int64_t NewSnapshotId(const TableMetadata& base, Random& random) {
  while (true) {
    const auto id = static_cast<int64_t>(random.Next() >> 1);
    if (id != 0 && base.FindSnapshot(id) == nullptr) return id;
  }
}

/// Stores a manifest of the added files, and the list of it and of the base's manifests; answers
/// the list's URI.
Result<std::string> StoreFiles(const TableMetadata& base, const std::vector<DataFile>& added,
                               SnapshotFiles& files) {
  std::vector<ManifestFile> manifests;
  if (!added.empty()) {
    ARROW_ASSIGN_OR_RAISE(ManifestWriter writer, files.NewManifest(base.default_spec_id));
    for (const DataFile& file : added) {
      ManifestEntry entry;
      entry.snapshot_id = files.snapshot_id();
      entry.data_file = file;
      ARROW_RETURN_NOT_OK(writer.Append(entry));
    }
    ARROW_ASSIGN_OR_RAISE(ManifestFile manifest, files.StoreManifest(std::move(writer)));
    manifests.push_back(std::move(manifest));
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<ManifestFile> kept, files.ReadBaseList());
  // Merging can wait: a manifest of somebody else's that Arka cannot read must not stop appends.
  auto merged = MergeManifests(base, kept, files);
  if (merged.ok()) kept = *std::move(merged);
  std::move(kept.begin(), kept.end(), std::back_inserter(manifests));
  return files.StoreList(manifests);
}

Snapshot MakeSnapshot(const TableMetadata& base, const SnapshotFiles& files,
                      std::string manifest_list, const AppendRequest& request, WallTime now) {
  const Snapshot* parent = base.current_snapshot();
  Snapshot snapshot;
  snapshot.snapshot_id = files.snapshot_id();
  if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
  snapshot.sequence_number = files.sequence_number();
  // Readers refuse logs whose times fall, so a clock that jumped back stands still here.
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  snapshot.timestamp_ms = std::max(base.last_updated_ms, int64_t{now_ms.count()});
  snapshot.manifest_list = std::move(manifest_list);
  snapshot.summary = AppendSummary(parent, request.files, request.summary);
  snapshot.schema_id = base.current_schema_id;
  return snapshot;
}

}  // namespace

Status CheckWritable(const Table& base) {
  if (base.metadata->format_version != 2) {
    return Error(ErrorCode::kUnimplemented, "iceberg: ", base.identifier.ToString(),
                 " is of format version ", base.metadata->format_version,
                 "; Arka writes to version 2 only");
  }
  if (!base.metadata->default_spec()->is_unpartitioned()) {
    return Error(
        ErrorCode::kUnimplemented, "iceberg: ", base.identifier.ToString(),
        " is partitioned; Arka writes to unpartitioned tables only: set its default spec back to "
        "one without fields");
  }
  return Status::OK();
}

Result<PreparedAppend> PrepareAppend(const Table& table, ObjectStore& warehouse, Random& random,
                                     const Clock& clock, const AppendRequest& request) {
  ARKA_CHECK(table.metadata != nullptr);
  ARROW_RETURN_NOT_OK(CheckWritable(table));
  const TableMetadata& base = *table.metadata;
  SnapshotFiles files(base, NewSnapshotId(base, random), warehouse, random);
  Result<std::string> manifest_list = StoreFiles(base, request.files, files);
  if (!manifest_list.ok()) {
    files.Discard();
    return WithContext(manifest_list.status(), table.identifier.ToString());
  }

  SnapshotRef main;
  const auto found = base.refs.find(kMainBranch);
  if (found != base.refs.end()) main = found->second;  // its retention settings stay
  main.snapshot_id = files.snapshot_id();
  std::optional<int64_t> current;
  if (base.current_snapshot() != nullptr) current = base.current_snapshot_id;

  PreparedAppend prepared;
  prepared.snapshot_id = files.snapshot_id();
  prepared.requirements = {AssertTableUuid{base.table_uuid},
                           AssertRefSnapshotId{kMainBranch, current}};
  prepared.updates = {
      AddSnapshot{MakeSnapshot(base, files, *std::move(manifest_list), request, clock.WallNow())},
      SetSnapshotRef{kMainBranch, std::move(main)}};
  if (!request.properties.empty()) prepared.updates.push_back(SetProperties{request.properties});
  prepared.written = files.written();
  return prepared;
}

}  // namespace arka::iceberg

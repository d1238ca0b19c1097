#include "arka/query/as_of.h"

#include "arka/lake/table_committer.h"

namespace arka::query {

// Back from the current snapshot, over all that added later writes; the first one that did not is
// it, once it is known that nothing between its last write and `lsn` was added by a later one.
Result<const iceberg::Snapshot*> SnapshotThrough(const iceberg::TableMetadata& metadata,
                                                 const std::string& node, Lsn lsn) {
  const iceberg::Snapshot* candidate = metadata.current_snapshot();
  for (const auto* snapshot = candidate; snapshot != nullptr;) {
    const auto writes = lake::WritesAddedBy(*snapshot, node);
    if (writes && writes->last <= lsn) return candidate;
    if (writes && writes->first <= lsn) {
      return Error(ErrorCode::kNotFound, "the log no longer tells the writes up to LSN ", lsn,
                   " from those after it: they were committed together with those up to ",
                   writes->last, ". What can be read instead is the state up to LSN ",
                   writes->first.previous(), ", or that up to ", writes->last);
    }
    const bool is_root =
        !snapshot->parent_snapshot_id || *snapshot->parent_snapshot_id == iceberg::kNoSnapshotId;
    const iceberg::Snapshot* parent =
        is_root ? nullptr : metadata.FindSnapshot(*snapshot->parent_snapshot_id);
    if (!is_root && parent == nullptr) {
      return Error(ErrorCode::kNotFound, "the snapshot that had the writes up to LSN ", lsn,
                   " has expired");
    }
    if (writes) candidate = parent;
    snapshot = parent;
  }
  return candidate;
}

}  // namespace arka::query

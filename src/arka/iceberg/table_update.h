// The changes that one commit makes to a table's metadata (spec: REST catalog, TableUpdate).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/iceberg/table_requirement.h"
#include "arka/io/clock.h"

namespace arka::iceberg {

/// "The one that this commit added": the REST protocol's -1 in set-current-schema and its like.
inline constexpr int kLastAdded = -1;

struct AssignUuid {
  std::string uuid = {};
};

struct AddSchema {
  Schema schema = {};
};

struct SetCurrentSchema {
  int schema_id = kLastAdded;
};

struct AddSnapshot {
  Snapshot snapshot = {};
};

struct SetSnapshotRef {
  std::string ref = kMainBranch;
  SnapshotRef value = {};
};

struct RemoveSnapshotRef {
  std::string ref = {};
};

struct RemoveSnapshots {
  std::vector<int64_t> snapshot_ids = {};
};

struct SetProperties {
  std::map<std::string, std::string> updates = {};
};

struct RemoveProperties {
  std::vector<std::string> removals = {};
};

struct SetLocation {
  std::string location = {};
};

using TableUpdate =
    std::variant<AssignUuid, AddSchema, SetCurrentSchema, AddSnapshot, SetSnapshotRef,
                 RemoveSnapshotRef, RemoveSnapshots, SetProperties, RemoveProperties, SetLocation>;

/// The metadata of `base` after `updates`, in order, if all `requirements` hold. Pure: the same
/// input gives the same output. kCommitConflict where a requirement fails; kInvalidRequest where an
/// update makes no sense on this base (such as a ref to a snapshot that is not there);
/// kUnimplemented for snapshots on tables that are not of format version 2. The metadata log is not
/// touched: only the catalog knows where the base lies (AddToMetadataLog).
Result<TableMetadata> Apply(const TableMetadata& base,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates, WallTime now);

/// Notes that `metadata`'s predecessor was the file `metadata_file`, last updated at
/// `timestamp_ms`, and forgets the oldest entries over the table property
/// write.metadata.previous-versions-max (default 100).
void AddToMetadataLog(TableMetadata& metadata, const std::string& metadata_file,
                      int64_t timestamp_ms);

}  // namespace arka::iceberg

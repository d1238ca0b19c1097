// What must be true of a table for a commit to be applied (spec: REST catalog, TableRequirement).
// A requirement that does not hold is kCommitConflict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// The table does not exist yet.
struct AssertCreate {};

struct AssertTableUuid {
  std::string uuid = {};
};

/// The branch or tag `ref` points at `snapshot_id`, or is not there where that is nothing.
struct AssertRefSnapshotId {
  std::string ref = {};
  std::optional<int64_t> snapshot_id = {};
};

struct AssertLastAssignedFieldId {
  int last_assigned_field_id = 0;
};

struct AssertCurrentSchemaId {
  int current_schema_id = 0;
};

struct AssertLastAssignedPartitionId {
  int last_assigned_partition_id = 0;
};

struct AssertDefaultSpecId {
  int default_spec_id = 0;
};

struct AssertDefaultSortOrderId {
  int default_sort_order_id = 0;
};

using TableRequirement =
    std::variant<AssertCreate, AssertTableUuid, AssertRefSnapshotId, AssertLastAssignedFieldId,
                 AssertCurrentSchemaId, AssertLastAssignedPartitionId, AssertDefaultSpecId,
                 AssertDefaultSortOrderId>;

/// OK where `requirement` holds; kCommitConflict, saying what was expected and found, where it does
/// not. `base` is null for a table that does not exist.
Status CheckRequirement(const TableMetadata* base, const TableRequirement& requirement);

}  // namespace arka::iceberg

#include "arka/iceberg/table_requirement.h"

#include <string_view>

namespace arka::iceberg {
namespace {

template <typename Expected, typename Found>
Status Expect(std::string_view what, const Expected& expected, const Found& found) {
  if (expected == found) return Status::OK();
  return Error(ErrorCode::kCommitConflict, "iceberg: the ", what, " is ", found, ", not ",
               expected);
}

struct Checker {
  const TableMetadata& base;

  Status operator()(const AssertCreate&) const {
    return Error(ErrorCode::kCommitConflict, "iceberg: the table exists already");
  }
  Status operator()(const AssertTableUuid& r) const {
    return Expect("table-uuid", r.uuid, base.table_uuid);
  }
  Status operator()(const AssertRefSnapshotId& r) const {
    const auto found = base.refs.find(r.ref);
    if (found == base.refs.end()) {
      if (!r.snapshot_id) return Status::OK();
      return Error(ErrorCode::kCommitConflict, "iceberg: the branch or tag '", r.ref,
                   "' is not there; it should be at snapshot ", *r.snapshot_id);
    }
    if (!r.snapshot_id) {
      return Error(ErrorCode::kCommitConflict, "iceberg: the branch or tag '", r.ref,
                   "' is there already, at snapshot ", found->second.snapshot_id);
    }
    return Expect("snapshot of '" + r.ref + "'", *r.snapshot_id, found->second.snapshot_id);
  }
  Status operator()(const AssertLastAssignedFieldId& r) const {
    return Expect("last column id", r.last_assigned_field_id, base.last_column_id);
  }
  Status operator()(const AssertCurrentSchemaId& r) const {
    return Expect("current schema id", r.current_schema_id, base.current_schema_id);
  }
  Status operator()(const AssertLastAssignedPartitionId& r) const {
    return Expect("last partition id", r.last_assigned_partition_id, base.last_partition_id);
  }
  Status operator()(const AssertDefaultSpecId& r) const {
    return Expect("default spec id", r.default_spec_id, base.default_spec_id);
  }
  Status operator()(const AssertDefaultSortOrderId& r) const {
    return Expect("default sort order id", r.default_sort_order_id, base.default_sort_order_id);
  }
};

}  // namespace

Status CheckRequirement(const TableMetadata* base, const TableRequirement& requirement) {
  if (base == nullptr) {
    if (std::holds_alternative<AssertCreate>(requirement)) return Status::OK();
    return Error(ErrorCode::kCommitConflict, "iceberg: the table does not exist");
  }
  return std::visit(Checker{*base}, requirement);
}

}  // namespace arka::iceberg

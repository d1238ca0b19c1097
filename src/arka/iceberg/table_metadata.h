// A table's metadata (spec: "Table Metadata"): everything that one metadata JSON file says.
//
// A plain value. Fields are named as the spec names them. Members that Arka does not know are kept
// as JSON text and written back as they came, so that no other writer's data is lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arka/iceberg/schema.h"

namespace arka::iceberg {

inline constexpr char kMainBranch[] = "main";
/// Before a table has snapshots, and in requirements: "no snapshot".
inline constexpr int64_t kNoSnapshotId = -1;

struct PartitionField {
  int source_id = 0;
  int field_id = 0;
  std::string name = {};
  std::string transform = {};
  std::string unknown_members = {};
  bool operator==(const PartitionField&) const = default;
};

struct PartitionSpec {
  int spec_id = 0;
  std::vector<PartitionField> fields = {};
  std::string unknown_members = {};
  bool operator==(const PartitionSpec&) const = default;

  bool is_unpartitioned() const { return fields.empty(); }
};

struct SortField {
  std::string transform = {};
  int source_id = 0;
  std::string direction = {};   // asc, desc
  std::string null_order = {};  // nulls-first, nulls-last
  std::string unknown_members = {};
  bool operator==(const SortField&) const = default;
};

struct SortOrder {
  int order_id = 0;
  std::vector<SortField> fields = {};
  std::string unknown_members = {};
  bool operator==(const SortOrder&) const = default;
};

struct Snapshot {
  int64_t snapshot_id = kNoSnapshotId;
  std::optional<int64_t> parent_snapshot_id = {};
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list =
      {};  // absolute URI; empty where only format version 1's `manifests` is
  std::map<std::string, std::string> summary = {};  // with "operation"
  std::optional<int> schema_id = {};
  std::string unknown_members = {};
  bool operator==(const Snapshot&) const = default;
};

struct SnapshotRef {
  int64_t snapshot_id = kNoSnapshotId;
  std::string type = "branch";  // branch, tag
  std::optional<int64_t> min_snapshots_to_keep = {};
  std::optional<int64_t> max_snapshot_age_ms = {};
  std::optional<int64_t> max_ref_age_ms = {};
  std::string unknown_members = {};
  bool operator==(const SnapshotRef&) const = default;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = kNoSnapshotId;
  bool operator==(const SnapshotLogEntry&) const = default;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file = {};
  bool operator==(const MetadataLogEntry&) const = default;
};

struct TableMetadata {
  int format_version = 2;
  std::string table_uuid = {};
  std::string location = {};
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int last_column_id = 0;
  std::vector<Schema> schemas = {};
  int current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs = {};
  int default_spec_id = 0;
  int last_partition_id = 999;
  std::map<std::string, std::string> properties = {};
  int64_t current_snapshot_id = kNoSnapshotId;
  std::vector<Snapshot> snapshots = {};
  std::vector<SnapshotLogEntry> snapshot_log = {};
  std::vector<MetadataLogEntry> metadata_log = {};
  std::vector<SortOrder> sort_orders = {};
  int default_sort_order_id = 0;
  std::map<std::string, SnapshotRef> refs = {};
  std::string unknown_members = {};  // statistics and partition-statistics among them

  /// Never null in metadata that was parsed or built by this library.
  const Schema* current_schema() const;
  const PartitionSpec* default_spec() const;
  /// Null where the table has no snapshot yet.
  const Snapshot* current_snapshot() const;
  const Snapshot* FindSnapshot(int64_t snapshot_id) const;
  const Schema* FindSchema(int schema_id) const;
};

}  // namespace arka::iceberg

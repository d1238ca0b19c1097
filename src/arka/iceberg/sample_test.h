// What the tests of this layer build their cases from.
#pragma once

#include <memory>
#include <string>

#include "arka/iceberg/avro_file.h"
#include "arka/iceberg/catalog.h"
#include "arka/iceberg/data_file.h"
#include "arka/iceberg/single_value.h"
#include "arka/iceberg/table_creation.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

inline constexpr AvroSyncMarker kSampleMarker = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                 '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
inline constexpr WallTime kSampleTime{std::chrono::milliseconds(1'800'000'000'000)};

inline Schema SampleSchema() {
  Schema schema;
  schema.fields = {{.id = 1, .name = "id", .type = TypeId::kLong, .required = true},
                   {.id = 2, .name = "name", .type = TypeId::kString},
                   {.id = 3, .name = "tags", .type = Type::List(4, TypeId::kString, false)}};
  return schema;
}

inline DataFile SampleFile(const std::string& path, int64_t records) {
  DataFile file;
  file.file_path = path;
  file.record_count = records;
  file.file_size_in_bytes = 100 * records;
  file.column_sizes = {{1, 64}, {2, 80}, {4, 90}};
  file.value_counts = {{1, records}, {2, records}, {4, 2 * records}};
  file.null_value_counts = {{1, 0}, {2, 1}, {4, 0}};
  file.lower_bounds = {{1, SerializeLong(0)}, {2, "a"}};
  file.upper_bounds = {{1, SerializeLong(records - 1)}, {2, "z"}};
  file.split_offsets = {4};
  file.sort_order_id = 0;
  return file;
}

/// An empty table at `location`.
inline TableMetadata SampleMetadata(const std::string& location) {
  TableCreation creation;
  creation.schema = SampleSchema();
  creation.properties = {{"owner", "someone"}};
  return NewTableMetadata(creation, location, "00000000-0000-4000-8000-000000000001", kSampleTime)
      .ValueOrDie();
}

/// The updates that make a snapshot with that id the current one of `base`.
inline std::vector<TableUpdate> AppendOf(const TableMetadata& base, int64_t id) {
  Snapshot snapshot;
  snapshot.snapshot_id = id;
  if (base.current_snapshot() != nullptr) snapshot.parent_snapshot_id = base.current_snapshot_id;
  snapshot.sequence_number = base.last_sequence_number + 1;
  snapshot.timestamp_ms = base.last_updated_ms + 1000;
  snapshot.manifest_list = base.location + "/metadata/snap-" + std::to_string(id) + ".avro";
  snapshot.summary = {{"operation", "append"}, {"added-records", "1"}};
  snapshot.schema_id = 0;
  SnapshotRef main;
  main.snapshot_id = id;
  return {AddSnapshot{std::move(snapshot)}, SetSnapshotRef{kMainBranch, std::move(main)}};
}

}  // namespace arka::iceberg

#include "arka/iceberg/table_metadata_json.h"

#include <algorithm>
#include <utility>

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/partition_json.h"
#include "arka/iceberg/schema_json.h"
#include "arka/iceberg/snapshot_json.h"

namespace arka::iceberg {
namespace {

constexpr int kNewestFormatVersion = 3;

template <typename T, typename ToJson>
OrderedJson ArrayOf(const std::vector<T>& items, ToJson to_json) {
  OrderedJson array = OrderedJson::array();
  for (const T& item : items) array.push_back(to_json(item));
  return array;
}

template <typename T>
Result<std::vector<T>> ParseArray(JsonReader& reader, std::string_view key,
                                  Result<T> (*parse)(const Json&)) {
  ARROW_ASSIGN_OR_RAISE(const Json* array, reader.Array(key));
  std::vector<T> items;
  for (const Json& item : *array) {
    ARROW_ASSIGN_OR_RAISE(T parsed, parse(item));
    items.push_back(std::move(parsed));
  }
  return items;
}

Status Missing(std::string_view what) {
  return Error(ErrorCode::kCorruption, "iceberg: table metadata: ", what, " is not there");
}

/// Version 1 may have one `schema` instead of `schemas` and `current-schema-id`.
Status ParseSchemas(JsonReader& reader, TableMetadata& metadata) {
  ARROW_ASSIGN_OR_RAISE(metadata.schemas, ParseArray(reader, "schemas", &SchemaFromJson));
  ARROW_ASSIGN_OR_RAISE(const auto current, reader.OptionalInt("current-schema-id"));
  const Json* only = metadata.format_version == 1 ? reader.Find("schema") : nullptr;
  if (metadata.schemas.empty() && only != nullptr) {
    ARROW_ASSIGN_OR_RAISE(Schema schema, SchemaFromJson(*only));
    metadata.current_schema_id = schema.schema_id;
    metadata.schemas.push_back(std::move(schema));
  } else {
    if (!current) return Missing("current-schema-id");
    metadata.current_schema_id = *current;
  }
  return metadata.current_schema() == nullptr ? Missing("the current schema") : Status::OK();
}

/// Version 1 may have one `partition-spec`, its fields alone.
Status ParseSpecs(JsonReader& reader, TableMetadata& metadata) {
  ARROW_ASSIGN_OR_RAISE(metadata.partition_specs,
                        ParseArray(reader, "partition-specs", &PartitionSpecFromJson));
  ARROW_ASSIGN_OR_RAISE(const auto default_spec, reader.OptionalInt("default-spec-id"));
  metadata.default_spec_id = default_spec.value_or(0);
  ARROW_ASSIGN_OR_RAISE(const auto last_id, reader.OptionalInt("last-partition-id"));
  if (metadata.format_version == 1) {
    ARROW_ASSIGN_OR_RAISE(const Json* only, reader.Array("partition-spec"));
    if (metadata.partition_specs.empty()) {
      PartitionSpec spec;
      ARROW_ASSIGN_OR_RAISE(spec.fields, PartitionFieldsFromJson(*only));
      metadata.partition_specs.push_back(std::move(spec));
    }
  } else if (!default_spec || !last_id) {
    return Missing("default-spec-id or last-partition-id");
  }
  if (metadata.default_spec() == nullptr) return Missing("the default partition spec");
  int highest = 999;
  for (const PartitionSpec& spec : metadata.partition_specs) {
    for (const PartitionField& field : spec.fields) highest = std::max(highest, field.field_id);
  }
  metadata.last_partition_id = last_id.value_or(highest);
  return Status::OK();
}

Status ParseSortOrders(JsonReader& reader, TableMetadata& metadata) {
  ARROW_ASSIGN_OR_RAISE(metadata.sort_orders,
                        ParseArray(reader, "sort-orders", &SortOrderFromJson));
  ARROW_ASSIGN_OR_RAISE(const auto default_order, reader.OptionalInt("default-sort-order-id"));
  metadata.default_sort_order_id = default_order.value_or(0);
  if (metadata.sort_orders.empty()) metadata.sort_orders.emplace_back();  // the unsorted order
  return Status::OK();
}

Status ParseSnapshots(JsonReader& reader, TableMetadata& metadata) {
  ARROW_ASSIGN_OR_RAISE(metadata.snapshots, ParseArray(reader, "snapshots", &SnapshotFromJson));
  ARROW_ASSIGN_OR_RAISE(const auto current, reader.OptionalLong("current-snapshot-id"));
  metadata.current_snapshot_id = current.value_or(kNoSnapshotId);
  ARROW_ASSIGN_OR_RAISE(metadata.refs, SnapshotRefsFromJson(reader.Find("refs")));
  ARROW_ASSIGN_OR_RAISE(const Json* snapshot_log, reader.Array("snapshot-log"));
  ARROW_ASSIGN_OR_RAISE(metadata.snapshot_log, SnapshotLogFromJson(*snapshot_log));
  ARROW_ASSIGN_OR_RAISE(const Json* metadata_log, reader.Array("metadata-log"));
  ARROW_ASSIGN_OR_RAISE(metadata.metadata_log, MetadataLogFromJson(*metadata_log));

  if (metadata.current_snapshot_id == kNoSnapshotId) {
    metadata.refs.erase(kMainBranch);
    return Status::OK();
  }
  if (metadata.current_snapshot() == nullptr) return Missing("the current snapshot");
  SnapshotRef& main = metadata.refs[kMainBranch];
  if (main.snapshot_id == kNoSnapshotId) main.snapshot_id = metadata.current_snapshot_id;
  if (main.snapshot_id != metadata.current_snapshot_id) {
    return Error(ErrorCode::kCorruption, "iceberg: table metadata: the branch main is at ",
                 main.snapshot_id, ", the current snapshot is ", metadata.current_snapshot_id);
  }
  return Status::OK();
}

}  // namespace

std::string TableMetadataToJson(const TableMetadata& metadata) {
  OrderedJson json = {{"format-version", metadata.format_version},
                      {"table-uuid", metadata.table_uuid},
                      {"location", metadata.location}};
  if (metadata.format_version > 1) json["last-sequence-number"] = metadata.last_sequence_number;
  json["last-updated-ms"] = metadata.last_updated_ms;
  json["last-column-id"] = metadata.last_column_id;
  if (metadata.format_version == 1 && metadata.current_schema() != nullptr) {
    json["schema"] = SchemaToJson(*metadata.current_schema());
  }
  json["current-schema-id"] = metadata.current_schema_id;
  json["schemas"] = ArrayOf(metadata.schemas, SchemaToJson);
  if (metadata.format_version == 1 && metadata.default_spec() != nullptr) {
    json["partition-spec"] = PartitionFieldsToJson(*metadata.default_spec());
  }
  json["default-spec-id"] = metadata.default_spec_id;
  json["partition-specs"] = ArrayOf(metadata.partition_specs, PartitionSpecToJson);
  json["last-partition-id"] = metadata.last_partition_id;
  json["default-sort-order-id"] = metadata.default_sort_order_id;
  json["sort-orders"] = ArrayOf(metadata.sort_orders, SortOrderToJson);
  json["properties"] = metadata.properties;
  json["current-snapshot-id"] = metadata.current_snapshot_id;
  json["refs"] = SnapshotRefsToJson(metadata.refs);
  json["snapshots"] = ArrayOf(metadata.snapshots, SnapshotToJson);
  json["statistics"] = OrderedJson::array();
  json["partition-statistics"] = OrderedJson::array();
  AddUnknownMembers(json, metadata.unknown_members);  // may hold both of these
  json["snapshot-log"] = SnapshotLogToJson(metadata.snapshot_log);
  json["metadata-log"] = MetadataLogToJson(metadata.metadata_log);
  return DumpJson(json);
}

Result<TableMetadata> TableMetadataFromJson(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(text, "table metadata"));
  return ParseTableMetadata(json);
}

Result<TableMetadata> ParseTableMetadata(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "table metadata"));
  TableMetadata metadata;
  ARROW_ASSIGN_OR_RAISE(metadata.format_version, reader.Int("format-version"));
  if (metadata.format_version < 1 || metadata.format_version > kNewestFormatVersion) {
    return Error(ErrorCode::kUnimplemented, "iceberg: table metadata of format version ",
                 metadata.format_version, " is not supported");
  }
  ARROW_ASSIGN_OR_RAISE(auto uuid, reader.OptionalString("table-uuid"));
  if (!uuid && metadata.format_version > 1) return Missing("table-uuid");
  metadata.table_uuid = std::move(uuid).value_or("");
  ARROW_ASSIGN_OR_RAISE(metadata.location, reader.String("location"));
  ARROW_ASSIGN_OR_RAISE(const auto sequence_number, reader.OptionalLong("last-sequence-number"));
  metadata.last_sequence_number = sequence_number.value_or(0);
  ARROW_ASSIGN_OR_RAISE(metadata.last_updated_ms, reader.Long("last-updated-ms"));
  ARROW_ASSIGN_OR_RAISE(metadata.last_column_id, reader.Int("last-column-id"));
  ARROW_RETURN_NOT_OK(ParseSchemas(reader, metadata));
  ARROW_RETURN_NOT_OK(ParseSpecs(reader, metadata));
  ARROW_RETURN_NOT_OK(ParseSortOrders(reader, metadata));
  ARROW_ASSIGN_OR_RAISE(metadata.properties, reader.StringMap("properties"));
  ARROW_RETURN_NOT_OK(ParseSnapshots(reader, metadata));
  metadata.unknown_members = reader.UnknownMembers();
  return metadata;
}

}  // namespace arka::iceberg

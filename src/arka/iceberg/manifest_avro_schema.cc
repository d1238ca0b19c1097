#include "arka/iceberg/manifest_avro_schema.h"

#include <string_view>
#include <utility>

#include "arka/iceberg/json_reader.h"

namespace arka::iceberg {
namespace {

OrderedJson Required(std::string_view name, int field_id, OrderedJson type) {
  return {{"name", name}, {"type", std::move(type)}, {"field-id", field_id}};
}

OrderedJson Optional(std::string_view name, int field_id, OrderedJson type) {
  OrderedJson optional = OrderedJson::array({"null", std::move(type)});
  return {
      {"name", name}, {"type", std::move(optional)}, {"default", nullptr}, {"field-id", field_id}};
}

OrderedJson Record(std::string_view name, OrderedJson fields) {
  return {{"type", "record"}, {"name", name}, {"fields", std::move(fields)}};
}

OrderedJson List(int element_id, OrderedJson items) {
  return {{"type", "array"}, {"items", std::move(items)}, {"element-id", element_id}};
}

/// Avro's maps have string keys only, so Iceberg's are arrays of pairs.
OrderedJson Map(int key_id, int value_id, std::string_view value_type) {
  const std::string name = "k" + std::to_string(key_id) + "_v" + std::to_string(value_id);
  OrderedJson pair = Record(name, OrderedJson::array({Required("key", key_id, "int"),
                                                      Required("value", value_id, value_type)}));
  return {{"type", "array"}, {"items", std::move(pair)}, {"logicalType", "map"}};
}

OrderedJson DataFileRecord() {
  return Record("r2", OrderedJson::array({
                          Required("content", 134, "int"),
                          Required("file_path", 100, "string"),
                          Required("file_format", 101, "string"),
                          Required("partition", 102, Record("r102", OrderedJson::array())),
                          Required("record_count", 103, "long"),
                          Required("file_size_in_bytes", 104, "long"),
                          Optional("column_sizes", 108, Map(117, 118, "long")),
                          Optional("value_counts", 109, Map(119, 120, "long")),
                          Optional("null_value_counts", 110, Map(121, 122, "long")),
                          Optional("nan_value_counts", 137, Map(138, 139, "long")),
                          Optional("lower_bounds", 125, Map(126, 127, "bytes")),
                          Optional("upper_bounds", 128, Map(129, 130, "bytes")),
                          Optional("key_metadata", 131, "bytes"),
                          Optional("split_offsets", 132, List(133, "long")),
                          Optional("equality_ids", 135, List(136, "int")),
                          Optional("sort_order_id", 140, "int"),
                          Optional("referenced_data_file", 143, "string"),
                      }));
}

}  // namespace

std::string ManifestEntryAvroSchema() {
  return DumpJson(Record("manifest_entry", OrderedJson::array({
                                               Required("status", 0, "int"),
                                               Optional("snapshot_id", 1, "long"),
                                               Optional("sequence_number", 3, "long"),
                                               Optional("file_sequence_number", 4, "long"),
                                               Required("data_file", 2, DataFileRecord()),
                                           })));
}

std::string ManifestFileAvroSchema() {
  const OrderedJson summary = Record("r508", OrderedJson::array({
                                                 Required("contains_null", 509, "boolean"),
                                                 Optional("contains_nan", 518, "boolean"),
                                                 Optional("lower_bound", 510, "bytes"),
                                                 Optional("upper_bound", 511, "bytes"),
                                             }));
  return DumpJson(Record("manifest_file", OrderedJson::array({
                                              Required("manifest_path", 500, "string"),
                                              Required("manifest_length", 501, "long"),
                                              Required("partition_spec_id", 502, "int"),
                                              Required("content", 517, "int"),
                                              Required("sequence_number", 515, "long"),
                                              Required("min_sequence_number", 516, "long"),
                                              Required("added_snapshot_id", 503, "long"),
                                              Required("added_files_count", 504, "int"),
                                              Required("existing_files_count", 505, "int"),
                                              Required("deleted_files_count", 506, "int"),
                                              Required("added_rows_count", 512, "long"),
                                              Required("existing_rows_count", 513, "long"),
                                              Required("deleted_rows_count", 514, "long"),
                                              Optional("partitions", 507, List(508, summary)),
                                              Optional("key_metadata", 519, "bytes"),
                                          })));
}

}  // namespace arka::iceberg

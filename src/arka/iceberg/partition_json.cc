#include "arka/iceberg/partition_json.h"

#include <utility>

namespace arka::iceberg {
namespace {

constexpr int kFirstPartitionFieldId = 1000;

}  // namespace

OrderedJson PartitionFieldsToJson(const PartitionSpec& spec) {
  OrderedJson array = OrderedJson::array();
  for (const PartitionField& field : spec.fields) {
    OrderedJson json = {{"name", field.name},
                        {"transform", field.transform},
                        {"source-id", field.source_id},
                        {"field-id", field.field_id}};
    AddUnknownMembers(json, field.unknown_members);
    array.push_back(std::move(json));
  }
  return array;
}

OrderedJson PartitionSpecToJson(const PartitionSpec& spec) {
  OrderedJson json = {{"spec-id", spec.spec_id}, {"fields", PartitionFieldsToJson(spec)}};
  AddUnknownMembers(json, spec.unknown_members);
  return json;
}

Result<std::vector<PartitionField>> PartitionFieldsFromJson(const Json& array) {
  std::vector<PartitionField> fields;
  for (const Json& item : array) {
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(item, "a partition field"));
    PartitionField field;
    // Version 3 may have `source-ids` instead; it is kept among the unknown members.
    ARROW_ASSIGN_OR_RAISE(const auto source_id, reader.OptionalInt("source-id"));
    field.source_id = source_id.value_or(0);
    ARROW_ASSIGN_OR_RAISE(const auto field_id, reader.OptionalInt("field-id"));
    field.field_id = field_id.value_or(kFirstPartitionFieldId + static_cast<int>(fields.size()));
    ARROW_ASSIGN_OR_RAISE(field.name, reader.String("name"));
    ARROW_ASSIGN_OR_RAISE(field.transform, reader.String("transform"));
    field.unknown_members = reader.UnknownMembers();
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<PartitionSpec> PartitionSpecFromJson(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "a partition spec"));
  PartitionSpec spec;
  ARROW_ASSIGN_OR_RAISE(spec.spec_id, reader.Int("spec-id"));
  ARROW_ASSIGN_OR_RAISE(const Json* fields, reader.Array("fields"));
  ARROW_ASSIGN_OR_RAISE(spec.fields, PartitionFieldsFromJson(*fields));
  spec.unknown_members = reader.UnknownMembers();
  return spec;
}

OrderedJson SortOrderToJson(const SortOrder& order) {
  OrderedJson fields = OrderedJson::array();
  for (const SortField& field : order.fields) {
    OrderedJson json = {{"transform", field.transform},
                        {"source-id", field.source_id},
                        {"direction", field.direction},
                        {"null-order", field.null_order}};
    AddUnknownMembers(json, field.unknown_members);
    fields.push_back(std::move(json));
  }
  OrderedJson json = {{"order-id", order.order_id}, {"fields", std::move(fields)}};
  AddUnknownMembers(json, order.unknown_members);
  return json;
}

Result<SortOrder> SortOrderFromJson(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "a sort order"));
  SortOrder order;
  ARROW_ASSIGN_OR_RAISE(order.order_id, reader.Int("order-id"));
  ARROW_ASSIGN_OR_RAISE(const Json* fields, reader.Array("fields"));
  for (const Json& item : *fields) {
    ARROW_ASSIGN_OR_RAISE(JsonReader field_reader, JsonReader::Make(item, "a sort field"));
    SortField field;
    ARROW_ASSIGN_OR_RAISE(field.transform, field_reader.String("transform"));
    ARROW_ASSIGN_OR_RAISE(const auto source_id, field_reader.OptionalInt("source-id"));
    field.source_id = source_id.value_or(0);
    ARROW_ASSIGN_OR_RAISE(field.direction, field_reader.String("direction"));
    ARROW_ASSIGN_OR_RAISE(field.null_order, field_reader.String("null-order"));
    field.unknown_members = field_reader.UnknownMembers();
    order.fields.push_back(std::move(field));
  }
  order.unknown_members = reader.UnknownMembers();
  return order;
}

}  // namespace arka::iceberg

#include "arka/iceberg/schema_json.h"

#include <utility>

namespace arka::iceberg {
namespace {

/// Bounds the recursion over types that come from outside.
constexpr int kMaxDepth = 64;

OrderedJson TypeToJson(const Type& type);
Result<Type> TypeFromJson(const Json& json, int depth);

OrderedJson FieldsToJson(const std::vector<NestedField>& fields) {
  OrderedJson array = OrderedJson::array();
  for (const NestedField& field : fields) {
    OrderedJson json = {{"id", field.id},
                        {"name", field.name},
                        {"required", field.required},
                        {"type", TypeToJson(field.type)}};
    if (!field.doc.empty()) json["doc"] = field.doc;
    AddUnknownMembers(json, field.unknown_members);
    array.push_back(std::move(json));
  }
  return array;
}

OrderedJson TypeToJson(const Type& type) {
  switch (type.id) {
    case TypeId::kStruct:
      return {{"type", "struct"}, {"fields", FieldsToJson(type.fields)}};
    case TypeId::kList:
      return {{"type", "list"},
              {"element-id", type.element().id},
              {"element", TypeToJson(type.element().type)},
              {"element-required", type.element().required}};
    case TypeId::kMap:
      return {{"type", "map"},
              {"key-id", type.key().id},
              {"key", TypeToJson(type.key().type)},
              {"value-id", type.value().id},
              {"value", TypeToJson(type.value().type)},
              {"value-required", type.value().required}};
    default:
      return type.ToString();
  }
}

Result<std::vector<NestedField>> FieldsFromJson(const Json& array, int depth) {
  std::vector<NestedField> fields;
  for (const Json& item : array) {
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(item, "a schema's field"));
    NestedField field;
    ARROW_ASSIGN_OR_RAISE(field.id, reader.Int("id"));
    ARROW_ASSIGN_OR_RAISE(field.name, reader.String("name"));
    ARROW_ASSIGN_OR_RAISE(field.required, reader.Bool("required"));
    ARROW_ASSIGN_OR_RAISE(auto doc, reader.OptionalString("doc"));
    field.doc = std::move(doc).value_or("");
    const Json* type = reader.Find("type");
    if (type == nullptr) {
      return Error(ErrorCode::kCorruption, "iceberg: field '", field.name, "' has no type");
    }
    ARROW_ASSIGN_OR_RAISE(field.type, TypeFromJson(*type, depth + 1));
    field.unknown_members = reader.UnknownMembers();
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> ChildFromJson(JsonReader& reader, const char* key, int depth) {
  const Json* child = reader.Find(key);
  if (child == nullptr) {
    return Error(ErrorCode::kCorruption, "iceberg: a nested type has no '", key, "'");
  }
  return TypeFromJson(*child, depth + 1);
}

Result<Type> TypeFromJson(const Json& json, int depth) {
  if (depth > kMaxDepth) {
    return Error(ErrorCode::kCorruption, "iceberg: a schema nests deeper than ", kMaxDepth);
  }
  if (json.is_string()) return ParsePrimitiveType(json.get_ref<const std::string&>());
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "a schema's type"));
  ARROW_ASSIGN_OR_RAISE(const std::string kind, reader.String("type"));
  if (kind == "struct") {
    ARROW_ASSIGN_OR_RAISE(const Json* array, reader.Array("fields"));
    ARROW_ASSIGN_OR_RAISE(auto fields, FieldsFromJson(*array, depth));
    return Type::Struct(std::move(fields));
  }
  if (kind == "list") {
    ARROW_ASSIGN_OR_RAISE(const int id, reader.Int("element-id"));
    ARROW_ASSIGN_OR_RAISE(const bool required, reader.Bool("element-required"));
    ARROW_ASSIGN_OR_RAISE(Type element, ChildFromJson(reader, "element", depth));
    return Type::List(id, std::move(element), required);
  }
  if (kind == "map") {
    ARROW_ASSIGN_OR_RAISE(const int key_id, reader.Int("key-id"));
    ARROW_ASSIGN_OR_RAISE(const int value_id, reader.Int("value-id"));
    ARROW_ASSIGN_OR_RAISE(const bool required, reader.Bool("value-required"));
    ARROW_ASSIGN_OR_RAISE(Type key, ChildFromJson(reader, "key", depth));
    ARROW_ASSIGN_OR_RAISE(Type value, ChildFromJson(reader, "value", depth));
    return Type::Map(key_id, std::move(key), value_id, std::move(value), required);
  }
  return ParsePrimitiveType(kind);
}

}  // namespace

OrderedJson SchemaToJson(const Schema& schema) {
  OrderedJson json = {{"type", "struct"}, {"schema-id", schema.schema_id}};
  if (!schema.identifier_field_ids.empty()) {
    json["identifier-field-ids"] = schema.identifier_field_ids;
  }
  json["fields"] = FieldsToJson(schema.fields);
  AddUnknownMembers(json, schema.unknown_members);
  return json;
}

Result<Schema> SchemaFromJson(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "a schema"));
  Schema schema;
  reader.Find("type");
  ARROW_ASSIGN_OR_RAISE(const std::optional<int> schema_id, reader.OptionalInt("schema-id"));
  schema.schema_id = schema_id.value_or(0);
  ARROW_ASSIGN_OR_RAISE(schema.identifier_field_ids, reader.IntArray("identifier-field-ids"));
  ARROW_ASSIGN_OR_RAISE(const Json* fields, reader.Array("fields"));
  ARROW_ASSIGN_OR_RAISE(schema.fields, FieldsFromJson(*fields, 0));
  schema.unknown_members = reader.UnknownMembers();
  return schema;
}

}  // namespace arka::iceberg

#include "arka/iceberg/avro_schema.h"

#include <array>
#include <map>
#include <utility>

#include "arka/iceberg/json_reader.h"

namespace arka::iceberg {
namespace {

constexpr int kMaxDepth = 32;
constexpr size_t kMaxUnionBranches = 64;
constexpr int64_t kMaxFixedSize = 1 << 20;

constexpr std::array<std::pair<std::string_view, AvroKind>, 8> kPrimitives = {{
    {"null", AvroKind::kNull},
    {"boolean", AvroKind::kBoolean},
    {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},
    {"float", AvroKind::kFloat},
    {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes},
    {"string", AvroKind::kString},
}};

Status Malformed(std::string_view what) {
  return Error(ErrorCode::kCorruption, "iceberg: malformed Avro schema: ", what);
}

class Parser {
 public:
  Result<AvroSchemaPtr> Parse(const Json& json, int depth) {
    if (depth > kMaxDepth) return Malformed("it nests too deeply");
    if (json.is_string()) return ParseName(json.get_ref<const std::string&>());
    if (json.is_array()) return ParseUnion(json, depth);
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "an Avro schema"));
    const Json* type = reader.Find("type");
    if (type == nullptr) return Malformed("no type");
    if (!type->is_string()) return Parse(*type, depth + 1);
    const auto& kind = type->get_ref<const std::string&>();
    if (kind == "record") return ParseRecord(reader, depth);
    auto schema = std::make_shared<AvroSchema>();
    if (kind == "array" || kind == "map") {
      schema->kind = kind == "array" ? AvroKind::kArray : AvroKind::kMap;
      const Json* child = reader.Find(kind == "array" ? "items" : "values");
      if (child == nullptr) return Malformed("an array or map without items");
      ARROW_ASSIGN_OR_RAISE(AvroSchemaPtr parsed, Parse(*child, depth + 1));
      schema->children.push_back(std::move(parsed));
      return schema;
    }
    if (kind == "fixed") {
      schema->kind = AvroKind::kFixed;
      ARROW_ASSIGN_OR_RAISE(schema->fixed_size, reader.Long("size"));
      if (schema->fixed_size < 0 || schema->fixed_size > kMaxFixedSize) {
        return Malformed("the size of a fixed");
      }
      return Define(reader, std::move(schema));
    }
    if (kind == "enum") {
      schema->kind = AvroKind::kEnum;
      return Define(reader, std::move(schema));
    }
    return ParseName(kind);
  }

 private:
  Result<AvroSchemaPtr> ParseName(const std::string& name) {
    for (const auto& [primitive, kind] : kPrimitives) {
      if (name == primitive) {
        auto schema = std::make_shared<AvroSchema>();
        schema->kind = kind;
        return schema;
      }
    }
    const auto found = named_.find(name);
    if (found == named_.end()) return Malformed("the type '" + name.substr(0, 64) + "'");
    if (found->second == nullptr) {
      return Error(ErrorCode::kUnimplemented, "iceberg: the Avro schema is recursive");
    }
    return found->second;
  }

  Result<AvroSchemaPtr> ParseUnion(const Json& json, int depth) {
    if (json.empty() || json.size() > kMaxUnionBranches) return Malformed("a union's branches");
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = AvroKind::kUnion;
    for (const Json& branch : json) {
      ARROW_ASSIGN_OR_RAISE(AvroSchemaPtr parsed, Parse(branch, depth + 1));
      schema->children.push_back(std::move(parsed));
    }
    return schema;
  }

  Result<AvroSchemaPtr> ParseRecord(JsonReader& reader, int depth) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, reader.String("name"));
    named_[name] = nullptr;  // known, but not finished
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = AvroKind::kRecord;
    ARROW_ASSIGN_OR_RAISE(const Json* fields, reader.Array("fields"));
    for (const Json& item : *fields) {
      ARROW_ASSIGN_OR_RAISE(JsonReader field_reader, JsonReader::Make(item, "an Avro field"));
      AvroField field;
      ARROW_ASSIGN_OR_RAISE(field.name, field_reader.String("name"));
      ARROW_ASSIGN_OR_RAISE(field.field_id, field_reader.OptionalInt("field-id"));
      const Json* type = field_reader.Find("type");
      if (type == nullptr) return Malformed("a field without a type");
      ARROW_ASSIGN_OR_RAISE(field.schema, Parse(*type, depth + 1));
      schema->fields.push_back(std::move(field));
    }
    named_[name] = schema;
    return schema;
  }

  Result<AvroSchemaPtr> Define(JsonReader& reader, AvroSchemaPtr schema) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, reader.String("name"));
    named_[name] = schema;
    return schema;
  }

  std::map<std::string, AvroSchemaPtr> named_;
};

}  // namespace

Result<AvroSchemaPtr> ParseAvroSchema(std::string_view json) {
  ARROW_ASSIGN_OR_RAISE(const Json parsed, ParseJson(json, "an Avro schema"));
  return Parser().Parse(parsed, 0);
}

}  // namespace arka::iceberg

#include "arka/iceberg/avro_record.h"

#include <limits>
#include <utility>
#include <variant>

namespace arka::iceberg {
namespace {

Status Wrong(std::string_view name) {
  return Error(ErrorCode::kCorruption, "iceberg: the Avro field '", name,
               "' is missing or of the wrong type");
}

bool FitsInt(int64_t value) {
  return value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max();
}

/// The only branch of an optional that is not null, or the schema itself.
const AvroSchema* ResolveOptional(const AvroSchema& schema) {
  if (schema.kind != AvroKind::kUnion) return &schema;
  const AvroSchema* resolved = nullptr;
  for (const AvroSchemaPtr& branch : schema.children) {
    if (branch->kind == AvroKind::kNull) continue;
    if (resolved != nullptr) return nullptr;
    resolved = branch.get();
  }
  return resolved;
}

}  // namespace

Result<AvroRecord> AvroRecord::Make(const AvroSchema& schema, const AvroValue& value) {
  const auto* values = std::get_if<AvroValue::Items>(&value.value);
  if (schema.kind != AvroKind::kRecord || values == nullptr ||
      values->size() != schema.fields.size()) {
    return Error(ErrorCode::kCorruption, "iceberg: an Avro value is not a record");
  }
  return AvroRecord(schema, *values);
}

AvroRecord::Found AvroRecord::Find(int field_id, std::string_view name) const {
  for (size_t i = 0; i < schema_->fields.size(); ++i) {
    const AvroField& field = schema_->fields[i];
    const bool same = field.field_id ? *field.field_id == field_id : field.name == name;
    if (same) {
      return {ResolveOptional(*field.schema), (*values_)[i].is_null() ? nullptr : &(*values_)[i]};
    }
  }
  return {};
}

template <typename T>
Result<std::optional<T>> AvroRecord::Get(int field_id, std::string_view name) const {
  const Found found = Find(field_id, name);
  if (found.value == nullptr) return std::optional<T>();
  const T* value = std::get_if<T>(&found.value->value);
  if (value == nullptr) return Wrong(name);
  return std::optional<T>(*value);
}

Result<std::optional<bool>> AvroRecord::OptionalBool(int field_id, std::string_view name) const {
  return Get<bool>(field_id, name);
}

Result<std::optional<int64_t>> AvroRecord::OptionalLong(int field_id, std::string_view name) const {
  return Get<int64_t>(field_id, name);
}

Result<std::optional<std::string>> AvroRecord::OptionalBytes(int field_id,
                                                             std::string_view name) const {
  return Get<std::string>(field_id, name);
}

Result<std::optional<int>> AvroRecord::OptionalInt(int field_id, std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> value, OptionalLong(field_id, name));
  if (!value) return std::optional<int>();
  if (!FitsInt(*value)) return Wrong(name);
  return std::optional<int>(static_cast<int>(*value));
}

Result<int64_t> AvroRecord::Long(int field_id, std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int64_t> value, OptionalLong(field_id, name));
  if (!value) return Wrong(name);
  return *value;
}

Result<int> AvroRecord::Int(int field_id, std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(const std::optional<int> value, OptionalInt(field_id, name));
  if (!value) return Wrong(name);
  return *value;
}

Result<std::string> AvroRecord::Bytes(int field_id, std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(std::optional<std::string> value, OptionalBytes(field_id, name));
  if (!value) return Wrong(name);
  return *std::move(value);
}

Result<std::vector<int64_t>> AvroRecord::LongArray(int field_id, std::string_view name) const {
  std::vector<int64_t> numbers;
  const Found found = Find(field_id, name);
  if (found.value == nullptr) return numbers;
  const auto* items = std::get_if<AvroValue::Items>(&found.value->value);
  if (items == nullptr) return Wrong(name);
  for (const AvroValue& item : *items) {
    const int64_t* number = std::get_if<int64_t>(&item.value);
    if (number == nullptr) return Wrong(name);
    numbers.push_back(*number);
  }
  return numbers;
}

template <typename T>
Result<std::map<int, T>> AvroRecord::Map(int field_id, std::string_view name) const {
  std::map<int, T> map;
  const Found found = Find(field_id, name);
  if (found.value == nullptr) return map;
  const auto* items = std::get_if<AvroValue::Items>(&found.value->value);
  if (items == nullptr) return Wrong(name);
  for (const AvroValue& item : *items) {
    const auto* pair = std::get_if<AvroValue::Items>(&item.value);
    if (pair == nullptr || pair->size() != 2) return Wrong(name);
    const int64_t* key = std::get_if<int64_t>(&(*pair)[0].value);
    const T* value = std::get_if<T>(&(*pair)[1].value);
    if (key == nullptr || !FitsInt(*key) || value == nullptr) return Wrong(name);
    map.insert_or_assign(static_cast<int>(*key), *value);
  }
  return map;
}

Result<std::map<int, int64_t>> AvroRecord::LongMap(int field_id, std::string_view name) const {
  return Map<int64_t>(field_id, name);
}

Result<std::map<int, std::string>> AvroRecord::BytesMap(int field_id, std::string_view name) const {
  return Map<std::string>(field_id, name);
}

Result<AvroRecord> AvroRecord::Record(int field_id, std::string_view name) const {
  const Found found = Find(field_id, name);
  if (found.value == nullptr || found.schema == nullptr) return Wrong(name);
  return Make(*found.schema, *found.value);
}

Result<std::vector<AvroRecord>> AvroRecord::Records(int field_id, std::string_view name) const {
  std::vector<AvroRecord> records;
  const Found found = Find(field_id, name);
  if (found.value == nullptr) return records;
  const auto* items = std::get_if<AvroValue::Items>(&found.value->value);
  if (items == nullptr || found.schema == nullptr || found.schema->kind != AvroKind::kArray) {
    return Wrong(name);
  }
  for (const AvroValue& item : *items) {
    ARROW_ASSIGN_OR_RAISE(AvroRecord record, Make(*found.schema->children[0], item));
    records.push_back(record);
  }
  return records;
}

}  // namespace arka::iceberg

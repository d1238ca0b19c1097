#include "arka/lake/arrow_schema.h"

#include <charconv>
#include <string>
#include <utility>

#include <arrow/extension/uuid.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

namespace arka::lake {
namespace {

using arrow::TimeUnit;
using iceberg::TypeId;

constexpr char kFieldIdKey[] = "PARQUET:field_id";
constexpr char kUtc[] = "UTC";

std::shared_ptr<arrow::Field> ArrowFieldOf(const iceberg::NestedField& field);

std::shared_ptr<arrow::DataType> ArrowTypeOf(const iceberg::Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return arrow::boolean();
    case TypeId::kInt:
      return arrow::int32();
    case TypeId::kLong:
      return arrow::int64();
    case TypeId::kFloat:
      return arrow::float32();
    case TypeId::kDouble:
      return arrow::float64();
    case TypeId::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case TypeId::kDate:
      return arrow::date32();
    case TypeId::kTime:
      return arrow::time64(TimeUnit::MICRO);
    case TypeId::kTimestamp:
      return arrow::timestamp(TimeUnit::MICRO);
    case TypeId::kTimestampTz:
      return arrow::timestamp(TimeUnit::MICRO, kUtc);
    case TypeId::kTimestampNs:
      return arrow::timestamp(TimeUnit::NANO);
    case TypeId::kTimestampTzNs:
      return arrow::timestamp(TimeUnit::NANO, kUtc);
    case TypeId::kString:
      return arrow::utf8();
    case TypeId::kUuid:
      return arrow::extension::uuid();
    case TypeId::kFixed:
      return arrow::fixed_size_binary(type.length);
    case TypeId::kBinary:
      return arrow::binary();
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (const auto& field : type.fields) fields.push_back(ArrowFieldOf(field));
      return arrow::struct_(std::move(fields));
    }
    case TypeId::kList:
      return arrow::list(ArrowFieldOf(type.element()));
    case TypeId::kMap:
      return std::make_shared<arrow::MapType>(ArrowFieldOf(type.key()), ArrowFieldOf(type.value()));
  }
  return arrow::null();
}

std::shared_ptr<arrow::Field> ArrowFieldOf(const iceberg::NestedField& field) {
  return FieldOf(field, ArrowTypeOf(field.type));
}

}  // namespace

std::shared_ptr<arrow::Schema> ArrowSchemaOf(const iceberg::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields) fields.push_back(ArrowFieldOf(field));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Field> FieldOf(const iceberg::NestedField& column,
                                      std::shared_ptr<arrow::DataType> type) {
  return arrow::field(column.name, std::move(type), !column.required,
                      arrow::key_value_metadata({kFieldIdKey}, {std::to_string(column.id)}));
}

std::optional<int> FieldIdOf(const arrow::Field& field) {
  if (!field.HasMetadata()) return std::nullopt;
  const auto text = field.metadata()->Get(kFieldIdKey);
  if (!text.ok()) return std::nullopt;
  int id = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, id);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return id;
}

}  // namespace arka::lake

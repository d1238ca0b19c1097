#include "arka/lake/type_mapping.h"

#include <set>
#include <string_view>
#include <utility>

#include <arrow/extension/uuid.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/key_value_metadata.h>

#include "arka/lake/arrow_schema.h"
#include "arka/lake/column_name.h"

namespace arka::lake {
namespace {

using arrow::DataType;
using arrow::TimeUnit;
using iceberg::TypeId;
using TypePointer = std::shared_ptr<DataType>;

constexpr char kExtensionNameKey[] = "ARROW:extension:name";
constexpr int kMaxPrecision = 38;

/// The forms of a type, without the field around it.
struct TypeMapping {
  iceberg::Type table;
  TypePointer logged;
  TypePointer storage;
  bool cuts_nanoseconds = false;
};

template <typename... Advice>
Status Refused(const std::string& path, const DataType& type, Advice&&... advice) {
  return Error(ErrorCode::kInvalidRequest, "column ", QuotedName(path), " has the type ",
               type.name(),
               ", which an Iceberg table cannot hold: ", std::forward<Advice>(advice)...);
}

Result<TypeMapping> MapType(const TypePointer& type, const std::string& path, int depth);

TypeMapping Same(iceberg::Type table, const TypePointer& type) {
  return {std::move(table), type, type};
}

Result<TypeMapping> MapDecimal(const TypePointer& type, const std::string& path) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  const int precision = decimal.precision();
  const int scale = decimal.scale();
  if (precision < 1 || precision > kMaxPrecision) {
    return Refused(path, *type, "its precision is ", precision, ", send at most ", kMaxPrecision,
                   " digits");
  }
  if (scale < 0 || scale > precision) {
    return Refused(path, *type, "its scale ", scale, " is not within 0 and the precision ",
                   precision);
  }
  return TypeMapping{iceberg::Type::Decimal(precision, scale), type,
                     arrow::decimal128(precision, scale)};
}

Result<TypeMapping> MapStruct(const TypePointer& type, const std::string& path, int depth) {
  if (type->num_fields() == 0) return Refused(path, *type, "the struct has no fields");
  std::vector<iceberg::NestedField> table;
  arrow::FieldVector logged, storage;
  std::set<std::string_view> names;
  TypeMapping mapping;
  for (const auto& field : type->fields()) {
    const Status name = CheckColumnName(field->name(), /*top_level=*/false);
    if (!name.ok()) return WithContext(name, "column " + QuotedName(path));
    if (!names.insert(field->name()).second) {
      return Error(ErrorCode::kInvalidRequest, "column ", QuotedName(path),
                   " has two fields with the name ", QuotedName(field->name()));
    }
    ARROW_ASSIGN_OR_RAISE(auto child, MapField(*field, path + "." + field->name(), depth + 1));
    table.push_back(std::move(child.table));
    logged.push_back(std::move(child.logged));
    storage.push_back(std::move(child.storage));
    mapping.cuts_nanoseconds |= child.cuts_nanoseconds;
  }
  mapping.table = iceberg::Type::Struct(std::move(table));
  mapping.logged = arrow::struct_(std::move(logged));
  mapping.storage = arrow::struct_(std::move(storage));
  return mapping;
}

Result<TypeMapping> MapList(const TypePointer& type, const std::string& path, int depth) {
  ARROW_ASSIGN_OR_RAISE(auto element, MapField(*type->field(0), path + ".element", depth + 1));
  TypeMapping mapping;
  mapping.cuts_nanoseconds = element.cuts_nanoseconds;
  mapping.table = iceberg::Type::List(0, std::move(element.table.type), element.table.required);
  mapping.storage = arrow::list(element.storage->WithName("element"));
  if (type->id() == arrow::Type::LARGE_LIST) {
    mapping.logged = arrow::large_list(element.logged);
  } else if (type->id() == arrow::Type::FIXED_SIZE_LIST) {
    const auto& list = static_cast<const arrow::FixedSizeListType&>(*type);
    mapping.logged = arrow::fixed_size_list(element.logged, list.list_size());
  } else {
    mapping.logged = arrow::list(element.logged);
  }
  return mapping;
}

Result<TypeMapping> MapMap(const TypePointer& type, const std::string& path, int depth) {
  const auto& map = static_cast<const arrow::MapType&>(*type);
  ARROW_ASSIGN_OR_RAISE(auto key, MapField(*map.key_field(), path + ".key", depth + 1));
  ARROW_ASSIGN_OR_RAISE(auto value, MapField(*map.item_field(), path + ".value", depth + 1));
  TypeMapping mapping;
  mapping.cuts_nanoseconds = key.cuts_nanoseconds || value.cuts_nanoseconds;
  mapping.table = iceberg::Type::Map(0, std::move(key.table.type), 0, std::move(value.table.type),
                                     value.table.required);
  mapping.logged = std::make_shared<arrow::MapType>(key.logged->WithNullable(false), value.logged,
                                                    map.keys_sorted());
  mapping.storage =
      std::make_shared<arrow::MapType>(key.storage->WithName("key")->WithNullable(false),
                                       value.storage->WithName("value"), map.keys_sorted());
  return mapping;
}

Result<TypeMapping> MapDictionary(const TypePointer& type, const std::string& path, int depth) {
  const auto& values = static_cast<const arrow::DictionaryType&>(*type).value_type();
  if (values->id() == arrow::Type::DICTIONARY || values->id() == arrow::Type::RUN_END_ENCODED) {
    return Refused(path, *type, "its values are encoded a second time; encode them once");
  }
  return MapType(values, path, depth);
}

Result<TypeMapping> MapRunEndEncoded(const TypePointer& type, const std::string& path, int depth) {
  const auto& values = static_cast<const arrow::RunEndEncodedType&>(*type).value_type();
  if (arrow::is_nested(values->id()) || values->id() == arrow::Type::DICTIONARY) {
    return Refused(path, *type, "run-end encoding is read for plain values only; send ",
                   values->name(), " itself");
  }
  return MapType(values, path, depth);
}

Result<TypeMapping> MapExtension(const TypePointer& type, const std::string& path) {
  const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
  if (extension.extension_name() == "arrow.uuid") return Same(TypeId::kUuid, type);
  return Refused(path, *type, "send the values as ", extension.storage_type()->name(),
                 " without the extension type ", QuotedName(extension.extension_name()));
}

TypeMapping MapTimestamp(const TypePointer& type) {
  const auto& timestamp = static_cast<const arrow::TimestampType&>(*type);
  const bool has_zone = !timestamp.timezone().empty();
  return {has_zone ? TypeId::kTimestampTz : TypeId::kTimestamp, type,
          arrow::timestamp(TimeUnit::MICRO, has_zone ? "UTC" : ""),
          timestamp.unit() == TimeUnit::NANO};
}

Result<TypeMapping> MapType(const TypePointer& type, const std::string& path, int depth) {
  switch (type->id()) {
    case arrow::Type::BOOL:
      return Same(TypeId::kBoolean, type);
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
      return TypeMapping{TypeId::kInt, type, arrow::int32()};
    case arrow::Type::INT64:
    case arrow::Type::UINT32:
      return TypeMapping{TypeId::kLong, type, arrow::int64()};
    case arrow::Type::UINT64:
      return Refused(path, *type, "send int64, or decimal128(20, 0) for values of 2^63 and above");
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
      return TypeMapping{TypeId::kFloat, type, arrow::float32()};
    case arrow::Type::DOUBLE:
      return Same(TypeId::kDouble, type);
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return MapDecimal(type, path);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return TypeMapping{TypeId::kDate, type, arrow::date32()};
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return TypeMapping{TypeId::kTime, type, arrow::time64(TimeUnit::MICRO),
                         static_cast<const arrow::TimeType&>(*type).unit() == TimeUnit::NANO};
    case arrow::Type::TIMESTAMP:
      return MapTimestamp(type);
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return TypeMapping{TypeId::kString, type, arrow::utf8()};
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return TypeMapping{TypeId::kBinary, type, arrow::binary()};
    case arrow::Type::FIXED_SIZE_BINARY: {
      const int width = static_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width();
      if (width < 1) return Refused(path, *type, "its width is ", width);
      return Same(iceberg::Type::Fixed(width), type);
    }
    case arrow::Type::STRUCT:
      return MapStruct(type, path, depth);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return MapList(type, path, depth);
    case arrow::Type::MAP:
      return MapMap(type, path, depth);
    case arrow::Type::DICTIONARY:
      return MapDictionary(type, path, depth);
    case arrow::Type::RUN_END_ENCODED:
      return MapRunEndEncoded(type, path, depth);
    case arrow::Type::EXTENSION:
      return MapExtension(type, path);
    case arrow::Type::NA:
      return Refused(path, *type, "give the column the type that its values will have");
    case arrow::Type::DURATION:
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return Refused(path, *type, "send a number and put the unit into the column's name");
    case arrow::Type::SPARSE_UNION:
    case arrow::Type::DENSE_UNION:
      return Refused(path, *type, "send a struct with one nullable field per alternative");
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
      return Refused(path, *type, "send list or large_list");
    default:
      return Refused(path, *type, "Arka does not know the type");
  }
}

std::shared_ptr<DataType> WithFieldIds(const DataType& storage, const iceberg::Type& table) {
  const auto child = [&](int i) { return lake::WithFieldIds(*storage.field(i), table.fields[i]); };
  switch (storage.id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (int i = 0; i < storage.num_fields(); ++i) fields.push_back(child(i));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST:
      return arrow::list(child(0));
    default: {  // MAP
      const auto& map = static_cast<const arrow::MapType&>(storage);
      return std::make_shared<arrow::MapType>(lake::WithFieldIds(*map.key_field(), table.key()),
                                              lake::WithFieldIds(*map.item_field(), table.value()),
                                              map.keys_sorted());
    }
  }
}

}  // namespace

Result<FieldMapping> MapField(const arrow::Field& field, const std::string& path, int depth) {
  if (depth > kMaxNesting) {
    return Error(ErrorCode::kInvalidRequest, "column ", QuotedName(path), " is nested more than ",
                 kMaxNesting, " levels deep");
  }
  if (field.HasMetadata() && field.metadata()->Contains(kExtensionNameKey)) {
    ARROW_ASSIGN_OR_RAISE(const auto extension, field.metadata()->Get(kExtensionNameKey));
    return Refused(path, *field.type(), "Arka does not know the extension type ",
                   QuotedName(extension), "; send the values without it");
  }
  ARROW_ASSIGN_OR_RAISE(auto mapping, MapType(field.type(), path, depth));
  FieldMapping mapped;
  mapped.table.name = field.name();
  mapped.table.type = std::move(mapping.table);
  mapped.table.required = !field.nullable();
  mapped.logged = arrow::field(field.name(), std::move(mapping.logged), field.nullable());
  mapped.storage = arrow::field(field.name(), std::move(mapping.storage), field.nullable());
  mapped.cuts_nanoseconds = mapping.cuts_nanoseconds;
  return mapped;
}

std::shared_ptr<arrow::Field> WithFieldIds(const arrow::Field& storage,
                                           const iceberg::NestedField& table) {
  auto type = table.type.is_nested() ? WithFieldIds(*storage.type(), table.type) : storage.type();
  return FieldOf(table, std::move(type));
}

}  // namespace arka::lake

#include "arka/iceberg/type.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "arka/base/check.h"

namespace arka::iceberg {
namespace {

constexpr std::array<std::pair<TypeId, std::string_view>, 14> kPlainNames = {{
    {TypeId::kBoolean, "boolean"},
    {TypeId::kInt, "int"},
    {TypeId::kLong, "long"},
    {TypeId::kFloat, "float"},
    {TypeId::kDouble, "double"},
    {TypeId::kDate, "date"},
    {TypeId::kTime, "time"},
    {TypeId::kTimestamp, "timestamp"},
    {TypeId::kTimestampTz, "timestamptz"},
    {TypeId::kTimestampNs, "timestamp_ns"},
    {TypeId::kTimestampTzNs, "timestamptz_ns"},
    {TypeId::kString, "string"},
    {TypeId::kUuid, "uuid"},
    {TypeId::kBinary, "binary"},
}};

std::string FieldText(const NestedField& field) {
  return std::to_string(field.id) + ": " + field.name + ": " +
         (field.required ? "required " : "optional ") + field.type.ToString();
}

/// Takes a number off the front of `text`, with blanks around it.
std::optional<int> TakeNumber(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  return number;
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Type::Type() = default;
Type::Type(TypeId primitive) : id(primitive) {}
Type::~Type() = default;
Type::Type(const Type&) = default;
Type& Type::operator=(const Type&) = default;
Type::Type(Type&&) noexcept = default;
Type& Type::operator=(Type&&) noexcept = default;

Type Type::Decimal(int precision, int scale) {
  Type type(TypeId::kDecimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type Type::Fixed(int length) {
  Type type(TypeId::kFixed);
  type.length = length;
  return type;
}

Type Type::Struct(std::vector<NestedField> fields) {
  Type type(TypeId::kStruct);
  type.fields = std::move(fields);
  return type;
}

Type Type::List(int element_id, Type element, bool element_required) {
  Type type(TypeId::kList);
  type.fields.push_back({.id = element_id,
                         .name = "element",
                         .type = std::move(element),
                         .required = element_required});
  return type;
}

Type Type::Map(int key_id, Type key, int value_id, Type value, bool value_required) {
  Type type(TypeId::kMap);
  type.fields.push_back({.id = key_id, .name = "key", .type = std::move(key), .required = true});
  type.fields.push_back(
      {.id = value_id, .name = "value", .type = std::move(value), .required = value_required});
  return type;
}

const NestedField& Type::element() const {
  ARKA_CHECK(id == TypeId::kList && fields.size() == 1);
  return fields[0];
}

const NestedField& Type::key() const {
  ARKA_CHECK(id == TypeId::kMap && fields.size() == 2);
  return fields[0];
}

const NestedField& Type::value() const {
  ARKA_CHECK(id == TypeId::kMap && fields.size() == 2);
  return fields[1];
}

std::string Type::ToString() const {
  switch (id) {
    case TypeId::kDecimal:
      return "decimal(" + std::to_string(precision) + ", " + std::to_string(scale) + ")";
    case TypeId::kFixed:
      return "fixed[" + std::to_string(length) + "]";
    case TypeId::kStruct: {
      std::string text;
      for (const NestedField& field : fields) {
        text += (text.empty() ? "" : ", ") + FieldText(field);
      }
      return "struct<" + text + ">";
    }
    case TypeId::kList:
      return "list<" + FieldText(element()) + ">";
    case TypeId::kMap:
      return "map<" + FieldText(key()) + ", " + FieldText(value()) + ">";
    default:
      break;
  }
  const auto* found = std::find_if(kPlainNames.begin(), kPlainNames.end(),
                                   [&](const auto& entry) { return entry.first == id; });
  ARKA_CHECK(found != kPlainNames.end());
  return std::string(found->second);
}

bool operator==(const Type& a, const Type& b) {
  return a.id == b.id && a.precision == b.precision && a.scale == b.scale && a.length == b.length &&
         a.fields == b.fields;
}

bool operator==(const NestedField& a, const NestedField& b) {
  return a.id == b.id && a.name == b.name && a.type == b.type && a.required == b.required &&
         a.doc == b.doc && a.unknown_members == b.unknown_members;
}

Result<Type> ParsePrimitiveType(std::string_view text) {
  for (const auto& [id, name] : kPlainNames) {
    if (text == name) return Type(id);
  }
  std::string_view rest = text;
  if (TakePrefix(rest, "decimal(")) {
    const std::optional<int> precision = TakeNumber(rest);
    const bool comma = TakePrefix(rest, ",");
    const std::optional<int> scale = TakeNumber(rest);
    if (precision && comma && scale && rest == ")" && *precision >= 1 && *precision <= 38 &&
        *scale <= *precision) {
      return Type::Decimal(*precision, *scale);
    }
    return Error(ErrorCode::kCorruption, "iceberg: malformed type '", text, "'");
  }
  if (TakePrefix(rest, "fixed[")) {
    const std::optional<int> length = TakeNumber(rest);
    if (length && rest == "]" && *length >= 1) return Type::Fixed(*length);
    return Error(ErrorCode::kCorruption, "iceberg: malformed type '", text, "'");
  }
  return Error(ErrorCode::kUnimplemented, "iceberg: the type '", text.substr(0, 64),
               "' is not supported");
}

int MinFormatVersion(const Type& type) {
  int version = type.id == TypeId::kTimestampNs || type.id == TypeId::kTimestampTzNs ? 3 : 1;
  for (const NestedField& field : type.fields) {
    version = std::max(version, MinFormatVersion(field.type));
  }
  return version;
}

}  // namespace arka::iceberg

#include "arka/query/sql_types.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include "arka/sql/quoting.h"

namespace arka::query {
namespace {

using arrow::internal::checked_cast;

std::string TimestampType(const arrow::TimestampType& type) {
  if (!type.timezone().empty()) return "TIMESTAMP WITH TIME ZONE";
  return type.unit() == arrow::TimeUnit::NANO ? "TIMESTAMP_NS" : "TIMESTAMP";
}

Result<std::string> StructType(const arrow::DataType& type) {
  std::string fields;
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(const std::string inner, SqlTypeOf(*field->type()));
    fields += (fields.empty() ? "" : ", ") + sql::Quoted(field->name()) + " " + inner;
  }
  return "STRUCT(" + fields + ")";
}

}  // namespace

Result<std::string> SqlTypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::INT32:
      return "INTEGER";
    case arrow::Type::INT64:
      return "BIGINT";
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = checked_cast<const arrow::Decimal128Type&>(type);
      return "DECIMAL(" + std::to_string(decimal.precision()) + ", " +
             std::to_string(decimal.scale()) + ")";
    }
    case arrow::Type::DATE32:
      return "DATE";
    case arrow::Type::TIME64:
      return "TIME";
    case arrow::Type::TIMESTAMP:
      return TimestampType(checked_cast<const arrow::TimestampType&>(type));
    case arrow::Type::STRING:
      return "VARCHAR";
    case arrow::Type::BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return "BLOB";
    case arrow::Type::EXTENSION:
      if (checked_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.uuid") {
        return "UUID";
      }
      break;
    case arrow::Type::STRUCT:
      return StructType(type);
    case arrow::Type::LIST: {
      ARROW_ASSIGN_OR_RAISE(const std::string element, SqlTypeOf(*type.field(0)->type()));
      return element + "[]";
    }
    case arrow::Type::MAP: {
      const auto& map = checked_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(const std::string key, SqlTypeOf(*map.key_type()));
      ARROW_ASSIGN_OR_RAISE(const std::string value, SqlTypeOf(*map.item_type()));
      return "MAP(" + key + ", " + value + ")";
    }
    default:
      break;
  }
  return Error(ErrorCode::kUnimplemented, "columns of type ", type.ToString(),
               " cannot be queried with SQL; DoGet reads them");
}

}  // namespace arka::query

#include "arka/sql_worker/parameters.h"

#include <string>

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/decimal.h>

namespace arka::sql_worker {
namespace {

using arrow::internal::checked_cast;

constexpr int64_t kMicrosPerSecond = 1'000'000;

template <typename Scalar>
auto ValueOf(const arrow::Scalar& scalar) {
  return checked_cast<const Scalar&>(scalar).value;
}

std::string_view BytesOf(const arrow::Scalar& scalar) {
  return checked_cast<const arrow::BaseBinaryScalar&>(scalar).view();
}

duckdb_value TimestampValue(const arrow::TimestampScalar& scalar) {
  const auto& type = checked_cast<const arrow::TimestampType&>(*scalar.type);
  int64_t micros = scalar.value;
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND:
      micros *= kMicrosPerSecond;
      break;
    case arrow::TimeUnit::MILLI:
      micros *= 1'000;
      break;
    case arrow::TimeUnit::MICRO:
      break;
    case arrow::TimeUnit::NANO:
      micros /= 1'000;
      break;
  }
  return type.timezone().empty() ? duckdb_create_timestamp({micros})
                                 : duckdb_create_timestamp_tz({micros});
}

duckdb_value DecimalValue(const arrow::Decimal128Scalar& scalar) {
  const auto& type = checked_cast<const arrow::Decimal128Type&>(*scalar.type);
  return duckdb_create_decimal({static_cast<uint8_t>(type.precision()),
                                static_cast<uint8_t>(type.scale()),
                                {scalar.value.low_bits(), scalar.value.high_bits()}});
}

duckdb_value TextValue(std::string_view text) {
  return duckdb_create_varchar_length(text.data(), text.size());
}

duckdb_value BlobValue(std::string_view bytes) {
  return duckdb_create_blob(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

Result<OwnedValue> ToValue(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return OwnedValue(duckdb_create_null_value());
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return OwnedValue(duckdb_create_bool(ValueOf<arrow::BooleanScalar>(scalar)));
    case arrow::Type::INT8:
      return OwnedValue(duckdb_create_int8(ValueOf<arrow::Int8Scalar>(scalar)));
    case arrow::Type::INT16:
      return OwnedValue(duckdb_create_int16(ValueOf<arrow::Int16Scalar>(scalar)));
    case arrow::Type::INT32:
      return OwnedValue(duckdb_create_int32(ValueOf<arrow::Int32Scalar>(scalar)));
    case arrow::Type::INT64:
      return OwnedValue(duckdb_create_int64(ValueOf<arrow::Int64Scalar>(scalar)));
    case arrow::Type::UINT8:
      return OwnedValue(duckdb_create_uint8(ValueOf<arrow::UInt8Scalar>(scalar)));
    case arrow::Type::UINT16:
      return OwnedValue(duckdb_create_uint16(ValueOf<arrow::UInt16Scalar>(scalar)));
    case arrow::Type::UINT32:
      return OwnedValue(duckdb_create_uint32(ValueOf<arrow::UInt32Scalar>(scalar)));
    case arrow::Type::UINT64:
      return OwnedValue(duckdb_create_uint64(ValueOf<arrow::UInt64Scalar>(scalar)));
    case arrow::Type::FLOAT:
      return OwnedValue(duckdb_create_float(ValueOf<arrow::FloatScalar>(scalar)));
    case arrow::Type::DOUBLE:
      return OwnedValue(duckdb_create_double(ValueOf<arrow::DoubleScalar>(scalar)));
    case arrow::Type::DATE32:
      return OwnedValue(duckdb_create_date({ValueOf<arrow::Date32Scalar>(scalar)}));
    case arrow::Type::TIME64: {
      const auto& type = checked_cast<const arrow::Time64Type&>(*scalar.type);
      const int64_t value = ValueOf<arrow::Time64Scalar>(scalar);
      return OwnedValue(
          duckdb_create_time({type.unit() == arrow::TimeUnit::NANO ? value / 1'000 : value}));
    }
    case arrow::Type::TIMESTAMP:
      return OwnedValue(TimestampValue(checked_cast<const arrow::TimestampScalar&>(scalar)));
    case arrow::Type::DECIMAL128:
      return OwnedValue(DecimalValue(checked_cast<const arrow::Decimal128Scalar&>(scalar)));
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return OwnedValue(TextValue(BytesOf(scalar)));
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return OwnedValue(BlobValue(BytesOf(scalar)));
    default:
      return Error(ErrorCode::kInvalidRequest, "no parameter can be a ", scalar.type->ToString());
  }
}

}  // namespace

Status BindParameters(const OwnedStatement& statement, const arrow::RecordBatch& row) {
  const idx_t wanted = duckdb_nparams(statement.get());
  if (wanted != static_cast<idx_t>(row.num_columns()) || row.num_rows() != 1) {
    return Error(ErrorCode::kInvalidRequest, "the statement has ", wanted, " parameter(s), and ",
                 row.num_columns(), " were given in ", row.num_rows(),
                 " row(s); one row is needed");
  }
  for (int i = 0; i < row.num_columns(); ++i) {
    const std::string which = "parameter " + std::to_string(i + 1);
    ARROW_ASSIGN_OR_RAISE(const auto scalar, row.column(i)->GetScalar(0));
    auto value = ToValue(*scalar);
    if (!value.ok()) return WithContext(value.status(), which);
    if (duckdb_bind_value(statement.get(), static_cast<idx_t>(i + 1), value->get()) !=
        DuckDBSuccess) {
      return WithContext(DuckDbError(duckdb_prepare_error(statement.get())), which);
    }
  }
  return Status::OK();
}

}  // namespace arka::sql_worker

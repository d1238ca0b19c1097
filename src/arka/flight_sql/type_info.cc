#include "arka/flight_sql/type_info.h"

#include <array>

#include <arrow/api.h>

#include "arka/flight_sql/metadata_schemas.h"

namespace arka::flight_sql {
namespace {

struct SqlType {
  const char* name;
  int32_t data_type;  // XdbcDataType
  std::optional<int32_t> size = {};
  const char* quote = nullptr;  // before and after a literal
  std::optional<int32_t> radix = {};
  std::optional<int32_t> max_scale = {};
  std::optional<int32_t> datetime_subcode = {};
};

constexpr int32_t kDatetime = 9;  // XDBC_DATETIME, the general type of dates and times
constexpr const char* kQuote = "'";

// By rising data type, then by name.
constexpr std::array<SqlType, 13> kTypes = {{
    {"BOOLEAN", -7, 1},
    {"BIGINT", -5, 64, nullptr, 2},
    {"BLOB", -3, std::nullopt, kQuote},
    {"DECIMAL", 3, 38, nullptr, 10, 38},
    {"INTEGER", 4, 32, nullptr, 2},
    {"FLOAT", 7, 24, nullptr, 2},
    {"DOUBLE", 8, 53, nullptr, 2},
    {"UUID", 12, 36, kQuote},
    {"VARCHAR", 12, std::nullopt, kQuote},
    {"DATE", 91, 10, kQuote, std::nullopt, std::nullopt, 1},
    {"TIME", 92, 15, kQuote, std::nullopt, 6, 2},
    {"TIMESTAMP", 93, 26, kQuote, std::nullopt, 6, 3},
    {"TIMESTAMP WITH TIME ZONE", 93, 32, kQuote, std::nullopt, 6, 5},
}};

// A row of the answer, column by column.
class TypeRows {
 public:
  explicit TypeRows(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  Status Begin() {
    return arrow::RecordBatchBuilder::Make(schema_, arrow::default_memory_pool()).Value(&builder_);
  }

  Status Add(const SqlType& type) {
    column_ = 0;
    const bool is_number = type.radix.has_value();
    const std::optional<int32_t> scale = type.max_scale ? std::optional(0) : std::nullopt;
    ARROW_RETURN_NOT_OK(Text(type.name));
    ARROW_RETURN_NOT_OK(Number(type.data_type));
    ARROW_RETURN_NOT_OK(Number(type.size));
    ARROW_RETURN_NOT_OK(Text(type.quote));
    ARROW_RETURN_NOT_OK(Text(type.quote));
    ARROW_RETURN_NOT_OK(CreateParameters(type.data_type == 3));
    ARROW_RETURN_NOT_OK(Number(1));  // NULLABILITY_NULLABLE
    ARROW_RETURN_NOT_OK(Flag(type.data_type == 12));
    ARROW_RETURN_NOT_OK(Number(3));  // SEARCHABLE_FULL
    ARROW_RETURN_NOT_OK(Flag(is_number ? std::optional(false) : std::nullopt));
    ARROW_RETURN_NOT_OK(Flag(false));
    ARROW_RETURN_NOT_OK(Flag(is_number ? std::optional(false) : std::nullopt));
    ARROW_RETURN_NOT_OK(Text(type.name));
    ARROW_RETURN_NOT_OK(Number(scale));
    ARROW_RETURN_NOT_OK(Number(type.max_scale));
    ARROW_RETURN_NOT_OK(Number(type.datetime_subcode ? kDatetime : type.data_type));
    ARROW_RETURN_NOT_OK(Number(type.datetime_subcode));
    ARROW_RETURN_NOT_OK(Number(type.radix));
    return Number(std::nullopt);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish() { return builder_->Flush(); }

 private:
  Status Text(const char* text) {
    auto* builder = builder_->GetFieldAs<arrow::StringBuilder>(column_++);
    return text == nullptr ? builder->AppendNull() : builder->Append(text);
  }
  Status Number(std::optional<int32_t> number) {
    auto* builder = builder_->GetFieldAs<arrow::Int32Builder>(column_++);
    return number ? builder->Append(*number) : builder->AppendNull();
  }
  Status Flag(std::optional<bool> flag) {
    auto* builder = builder_->GetFieldAs<arrow::BooleanBuilder>(column_++);
    return flag ? builder->Append(*flag) : builder->AppendNull();
  }
  Status CreateParameters(bool has_them) {
    auto* builder = builder_->GetFieldAs<arrow::ListBuilder>(column_++);
    if (!has_them) return builder->AppendNull();
    ARROW_RETURN_NOT_OK(builder->Append());
    auto& texts = static_cast<arrow::StringBuilder&>(*builder->value_builder());
    ARROW_RETURN_NOT_OK(texts.Append("precision"));
    return texts.Append("scale");
  }

  const std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<arrow::RecordBatchBuilder> builder_;
  int column_ = 0;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> XdbcTypeInfo(std::optional<int32_t> data_type) {
  TypeRows rows(XdbcTypeInfoSchema());
  ARROW_RETURN_NOT_OK(rows.Begin());
  for (const SqlType& type : kTypes) {
    if (!data_type || *data_type == type.data_type) ARROW_RETURN_NOT_OK(rows.Add(type));
  }
  return rows.Finish();
}

}  // namespace arka::flight_sql

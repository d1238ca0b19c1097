#include "row_buffer.h"

#include "status.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/util/byte_size.h>
#include <arrow/util/int_util_overflow.h>
#include <arrow/util/utf8.h>

namespace arka::client {

using arrow::Result;
using arrow::Status;

namespace {

class BoolColumn : public Column {
 public:
  using Column::Column;

 private:
  int64_t BytesOfValue(const Cell::Value& value) const override {
    return std::holds_alternative<bool>(value) ? 1 : -1;
  }
  Status PutValue(const Cell::Value& value) override {
    return static_cast<arrow::BooleanBuilder&>(*builder_).Append(std::get<bool>(value));
  }
};

template <typename Builder>
class IntegerColumn : public Column {
 public:
  using Column::Column;

 private:
  using Number = typename Builder::value_type;

  int64_t BytesOfValue(const Cell::Value& value) const override {
    const auto* number = std::get_if<int64_t>(&value);
    const auto* natural = std::get_if<uint64_t>(&value);
    const bool fits =
        (number && std::in_range<Number>(*number)) || (natural && std::in_range<Number>(*natural));
    return fits ? static_cast<int64_t>(sizeof(Number)) : -1;
  }
  Status PutValue(const Cell::Value& value) override {
    const auto* number = std::get_if<int64_t>(&value);
    return static_cast<Builder&>(*builder_).Append(
        static_cast<Number>(number ? *number : std::get<uint64_t>(value)));
  }
};

template <typename Builder>
class FloatColumn : public Column {
 public:
  using Column::Column;

 private:
  using Number = typename Builder::value_type;

  static double NumberOf(const Cell::Value& value) {
    if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<double>(*number);
    if (const auto* number = std::get_if<uint64_t>(&value)) return static_cast<double>(*number);
    return std::get<double>(value);
  }

  int64_t BytesOfValue(const Cell::Value& value) const override {
    const bool number = std::holds_alternative<double>(value) ||
                        std::holds_alternative<int64_t>(value) ||
                        std::holds_alternative<uint64_t>(value);
    if (!number) return -1;
    const double magnitude = std::abs(NumberOf(value));
    const bool too_large =
        std::isfinite(magnitude) && magnitude > std::numeric_limits<Number>::max();
    return too_large ? -1 : static_cast<int64_t>(sizeof(Number));
  }
  Status PutValue(const Cell::Value& value) override {
    return static_cast<Builder&>(*builder_).Append(static_cast<Number>(NumberOf(value)));
  }
};

template <typename Builder, bool kUtf8>
class TextColumn : public Column {
 public:
  using Column::Column;

 private:
  int64_t BytesOfValue(const Cell::Value& value) const override {
    const auto* text = std::get_if<std::string_view>(&value);
    if (!text || text->size() > std::numeric_limits<int32_t>::max()) return -1;
    if constexpr (kUtf8) {
      if (!arrow::util::ValidateUTF8(*text)) return -1;
    }
    return static_cast<int64_t>(text->size() + sizeof(int32_t));
  }
  Status PutValue(const Cell::Value& value) override {
    return static_cast<Builder&>(*builder_).Append(std::get<std::string_view>(value));
  }
};

constexpr int64_t kNanoseconds = 1'000'000'000;  // in a second

class TimestampColumn : public Column {
 public:
  using Column::Column;

 private:
  int64_t BytesOfValue(const Cell::Value& value) const override { return InUnit(value) ? 8 : -1; }
  Status PutValue(const Cell::Value& value) override {
    return static_cast<arrow::TimestampBuilder&>(*builder_).Append(*InUnit(value));
  }
  int64_t UnitsInASecond() const {
    switch (static_cast<const arrow::TimestampType&>(*field_->type()).unit()) {
      case arrow::TimeUnit::SECOND:
        return 1;
      case arrow::TimeUnit::MILLI:
        return 1'000;
      case arrow::TimeUnit::MICRO:
        return 1'000'000;
      case arrow::TimeUnit::NANO:
        return kNanoseconds;
    }
    return 1;
  }
  // Nothing: it is no point in time, or one that 64 bits cannot say in the column's unit.
  std::optional<int64_t> InUnit(const Cell::Value& value) const {
    const auto* time = std::get_if<Cell::Time>(&value);
    const int64_t units = UnitsInASecond();
    int64_t whole = 0;
    if (!time || arrow::internal::MultiplyWithOverflow(time->seconds, units, &whole) ||
        arrow::internal::AddWithOverflow(whole, time->nanoseconds / (kNanoseconds / units),
                                         &whole)) {
      return {};
    }
    return whole;
  }
};

class DateColumn : public Column {
 public:
  using Column::Column;

 private:
  static int64_t DayOf(const Cell::Time& time) {
    return std::chrono::floor<std::chrono::days>(std::chrono::seconds(time.seconds)).count();
  }
  int64_t BytesOfValue(const Cell::Value& value) const override {
    const auto* time = std::get_if<Cell::Time>(&value);
    return time && std::in_range<int32_t>(DayOf(*time)) ? 4 : -1;
  }
  Status PutValue(const Cell::Value& value) override {
    return static_cast<arrow::Date32Builder&>(*builder_).Append(
        static_cast<int32_t>(DayOf(std::get<Cell::Time>(value))));
  }
};

// The builder of a dictionary widens its indices, or wraps them around, where there are more values
// than the type has room for; either is another batch than its schema says.
bool HasDictionary(const arrow::DataType& type) {
  return type.id() == arrow::Type::DICTIONARY ||
         std::ranges::any_of(type.fields(),
                             [](const auto& field) { return HasDictionary(*field->type()); });
}

Result<std::unique_ptr<Column>> MakeColumn(std::shared_ptr<arrow::Field> field,
                                           arrow::MemoryPool* pool) {
  if (HasDictionary(*field->type())) {
    return Failure(Code::kInvalidArgument, "the column '", field->name(), "' (",
                   field->type()->ToString(),
                   ") is encoded as a dictionary: rows have its values, so give it their type");
  }
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(field->type(), pool));
  const auto make = [&]<typename Kind>(std::type_identity<Kind>) {
    return std::make_unique<Kind>(std::move(field), std::move(builder));
  };
  switch (field->type()->id()) {
    case arrow::Type::BOOL:
      return make(std::type_identity<BoolColumn>());
    case arrow::Type::INT8:
      return make(std::type_identity<IntegerColumn<arrow::Int8Builder>>());
    case arrow::Type::INT16:
      return make(std::type_identity<IntegerColumn<arrow::Int16Builder>>());
    case arrow::Type::INT32:
      return make(std::type_identity<IntegerColumn<arrow::Int32Builder>>());
    case arrow::Type::INT64:
      return make(std::type_identity<IntegerColumn<arrow::Int64Builder>>());
    case arrow::Type::UINT8:
      return make(std::type_identity<IntegerColumn<arrow::UInt8Builder>>());
    case arrow::Type::UINT16:
      return make(std::type_identity<IntegerColumn<arrow::UInt16Builder>>());
    case arrow::Type::UINT32:
      return make(std::type_identity<IntegerColumn<arrow::UInt32Builder>>());
    case arrow::Type::UINT64:
      return make(std::type_identity<IntegerColumn<arrow::UInt64Builder>>());
    case arrow::Type::FLOAT:
      return make(std::type_identity<FloatColumn<arrow::FloatBuilder>>());
    case arrow::Type::DOUBLE:
      return make(std::type_identity<FloatColumn<arrow::DoubleBuilder>>());
    case arrow::Type::STRING:
      return make(std::type_identity<TextColumn<arrow::StringBuilder, true>>());
    case arrow::Type::LARGE_STRING:
      return make(std::type_identity<TextColumn<arrow::LargeStringBuilder, true>>());
    case arrow::Type::BINARY:
      return make(std::type_identity<TextColumn<arrow::BinaryBuilder, false>>());
    case arrow::Type::LARGE_BINARY:
      return make(std::type_identity<TextColumn<arrow::LargeBinaryBuilder, false>>());
    case arrow::Type::TIMESTAMP:
      return make(std::type_identity<TimestampColumn>());
    case arrow::Type::DATE32:
      return make(std::type_identity<DateColumn>());
    default:
      return make(std::type_identity<Column>());  // takes scalars
  }
}

std::string Described(const Cell& cell) {
  struct Words {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(int64_t value) const { return std::to_string(value); }
    std::string operator()(uint64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return std::to_string(value); }
    std::string operator()(std::string_view value) const {
      if (!arrow::util::ValidateUTF8(value)) return "bytes that are no UTF-8";
      return "'" + std::string(value.substr(0, 40)) + "'";
    }
    std::string operator()(Cell::Time value) const {
      return "the time " + std::to_string(value.seconds) + " s after 1970";
    }
    std::string operator()(const std::shared_ptr<arrow::Scalar>& value) const {
      return value ? "a scalar of type " + value->type->ToString() : "null";
    }
  };
  return std::visit(Words(), cell.value());
}

const arrow::Scalar* ScalarIn(const Cell& cell) {
  const auto* scalar = std::get_if<std::shared_ptr<arrow::Scalar>>(&cell.value());
  return scalar ? scalar->get() : nullptr;
}

bool IsNull(const Cell& cell) {
  if (std::holds_alternative<std::monostate>(cell.value())) return true;
  const auto* scalar = std::get_if<std::shared_ptr<arrow::Scalar>>(&cell.value());
  return scalar && (!*scalar || !(*scalar)->is_valid);
}

int64_t BytesOf(const arrow::Scalar& scalar) {
  constexpr int64_t kFixedBytes = 16;  // of any type of a fixed width, or nearly
  if (!scalar.is_valid) return 1;
  if (const auto* bytes = dynamic_cast<const arrow::BaseBinaryScalar*>(&scalar)) {
    return kFixedBytes + bytes->value->size();
  }
  if (const auto* list = dynamic_cast<const arrow::BaseListScalar*>(&scalar)) {
    return kFixedBytes + arrow::util::ReferencedBufferSize(*list->value).ValueOr(0);
  }
  if (const auto* row = dynamic_cast<const arrow::StructScalar*>(&scalar)) {
    int64_t sum = 0;
    for (const auto& value : row->value) sum += BytesOf(*value);
    return sum;
  }
  if (const auto* extended = dynamic_cast<const arrow::ExtensionScalar*>(&scalar)) {
    return BytesOf(*extended->value);
  }
  return kFixedBytes;
}

}  // namespace

Column::Column(std::shared_ptr<arrow::Field> field, std::unique_ptr<arrow::ArrayBuilder> builder)
    : field_(std::move(field)), builder_(std::move(builder)) {}

int64_t Column::BytesOf(const Cell& cell) const {
  if (IsNull(cell)) return field_->nullable() ? 1 : -1;
  if (const arrow::Scalar* scalar = ScalarIn(cell)) {
    const bool fits = scalar->type->Equals(field_->type()) && scalar->ValidateFull().ok();
    return fits ? client::BytesOf(*scalar) : -1;
  }
  return BytesOfValue(cell.value());
}

Status Column::Put(const Cell& cell) {
  if (IsNull(cell)) return builder_->AppendNull();
  if (const arrow::Scalar* scalar = ScalarIn(cell)) return builder_->AppendScalar(*scalar);
  return PutValue(cell.value());
}

Result<std::unique_ptr<RowBuffer>> RowBuffer::Make(std::shared_ptr<arrow::Schema> schema,
                                                   arrow::MemoryPool* pool) {
  arrow::util::InitializeUTF8();
  std::unique_ptr<RowBuffer> rows(new RowBuffer(std::move(schema)));
  for (const auto& field : rows->schema_->fields()) {
    auto column = MakeColumn(field, pool);
    if (!column.ok()) return FromCaller(column.status());
    rows->places_[field->name()] = rows->columns_.size();
    rows->columns_.push_back(*std::move(column));
  }
  return rows;
}

Status RowBuffer::Add(std::span<const Cell> row) {
  if (row.size() != columns_.size()) {
    return Failure(Code::kInvalidArgument, "a row of ", row.size(), " values; there are ",
                   columns_.size(), " columns");
  }
  if (torn_) return Failure(Code::kResourceExhausted, "no memory for more rows of this batch");
  int64_t bytes = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    const int64_t more = columns_[i]->BytesOf(row[i]);
    if (more < 0) {
      const arrow::Field& field = columns_[i]->field();
      return Failure(Code::kInvalidArgument, "the column '", field.name(), "' (",
                     field.type()->ToString(), field.nullable() ? "" : ", required",
                     ") does not take ", Described(row[i]));
    }
    bytes += more;
  }
  for (size_t i = 0; i < row.size(); ++i) {
    // Only memory that is used up is left to fail here.
    const Status put = columns_[i]->Put(row[i]);
    if (put.ok()) continue;
    torn_ = true;
    if (rows_ == 0) (void)Take();
    return Failure(Code::kResourceExhausted, put.message());
  }
  ++rows_;
  bytes_ += bytes;
  return Status::OK();
}

Status RowBuffer::AddNamed(std::span<const std::pair<std::string_view, Cell>> row) {
  row_.assign(columns_.size(), Cell(std::nullopt));
  for (const auto& [name, cell] : row) {
    const auto place = places_.find(name);
    if (place == places_.end()) {
      return Failure(Code::kInvalidArgument, "no column '", name, "'; there are ",
                     schema_->ToString());
    }
    row_[place->second] = cell;
  }
  return Add(row_);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowBuffer::Take() {
  arrow::ArrayVector arrays;
  for (const auto& column : columns_) {
    auto array = column->Finish();
    if (!array.ok()) return Failure(Code::kInternal, array.status().message());
    arrays.push_back((*array)->Slice(0, rows_));
  }
  const int64_t rows = std::exchange(rows_, 0);
  bytes_ = 0;
  torn_ = false;
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

}  // namespace arka::client

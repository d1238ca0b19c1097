#include "row_buffer.h"

#include "status.h"

#include <cmath>
#include <limits>
#include <utility>

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

class TimestampColumn : public Column {
 public:
  using Column::Column;

 private:
  int64_t BytesOfValue(const Cell::Value& value) const override {
    return std::holds_alternative<Cell::Time>(value) ? 8 : -1;
  }
  Status PutValue(const Cell::Value& value) override {
    const auto time = std::get<Cell::Time>(value).time_since_epoch();
    return static_cast<arrow::TimestampBuilder&>(*builder_).Append(InUnit(time));
  }
  int64_t InUnit(std::chrono::nanoseconds time) const {
    switch (static_cast<const arrow::TimestampType&>(*field_->type()).unit()) {
      case arrow::TimeUnit::SECOND:
        return std::chrono::floor<std::chrono::seconds>(time).count();
      case arrow::TimeUnit::MILLI:
        return std::chrono::floor<std::chrono::milliseconds>(time).count();
      case arrow::TimeUnit::MICRO:
        return std::chrono::floor<std::chrono::microseconds>(time).count();
      case arrow::TimeUnit::NANO:
        return time.count();
    }
    return 0;
  }
};

class DateColumn : public Column {
 public:
  using Column::Column;

 private:
  int64_t BytesOfValue(const Cell::Value& value) const override {
    return std::holds_alternative<Cell::Time>(value) ? 4 : -1;
  }
  Status PutValue(const Cell::Value& value) override {
    const auto day = std::chrono::floor<std::chrono::days>(std::get<Cell::Time>(value));
    return static_cast<arrow::Date32Builder&>(*builder_).Append(
        static_cast<int32_t>(day.time_since_epoch().count()));
  }
};

Result<std::unique_ptr<Column>> MakeColumn(std::shared_ptr<arrow::Field> field) {
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(field->type()));
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
    std::string operator()(Cell::Time) const { return "a point in time"; }
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

// What a value of a type without a width is taken for.
constexpr int64_t kGuessBytes = 16;

}  // namespace

Column::Column(std::shared_ptr<arrow::Field> field, std::unique_ptr<arrow::ArrayBuilder> builder)
    : field_(std::move(field)), builder_(std::move(builder)) {}

int64_t Column::BytesOf(const Cell& cell) const {
  if (IsNull(cell)) return field_->nullable() ? 1 : -1;
  if (const arrow::Scalar* scalar = ScalarIn(cell)) {
    return scalar->type->Equals(field_->type()) ? kGuessBytes : -1;
  }
  return BytesOfValue(cell.value());
}

Status Column::Put(const Cell& cell) {
  if (IsNull(cell)) return builder_->AppendNull();
  if (const arrow::Scalar* scalar = ScalarIn(cell)) return builder_->AppendScalar(*scalar);
  return PutValue(cell.value());
}

Result<std::unique_ptr<RowBuffer>> RowBuffer::Make(std::shared_ptr<arrow::Schema> schema) {
  arrow::util::InitializeUTF8();
  std::unique_ptr<RowBuffer> rows(new RowBuffer(std::move(schema)));
  for (const auto& field : rows->schema_->fields()) {
    auto column = MakeColumn(field);
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
    if (!put.ok()) return Failure(Code::kResourceExhausted, put.message());
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
    arrays.push_back(*std::move(array));
  }
  const int64_t rows = std::exchange(rows_, 0);
  bytes_ = 0;
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

}  // namespace arka::client

#include "arka/lake/row_appender.h"

#include <algorithm>
#include <utility>

#include <arrow/type.h>

namespace arka::lake {

bool RowAppender::Takes(const arrow::Schema& schema) {
  return std::all_of(schema.fields().begin(), schema.fields().end(),
                     [](const auto& field) { return ColumnAppender::Takes(*field->type()); });
}

RowAppender::RowAppender(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {
  columns_.reserve(static_cast<size_t>(schema_->num_fields()));
  for (const auto& field : schema_->fields()) columns_.emplace_back(field->type());
}

Status RowAppender::Append(const arrow::RecordBatch& batch) {
  const arrow::ArrayDataVector& data = batch.column_data();
  for (size_t i = 0; i < columns_.size(); ++i) ARROW_RETURN_NOT_OK(columns_[i].Reserve(*data[i]));
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].Append(*data[i]);
  num_rows_ += batch.num_rows();
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> RowAppender::Finish() {
  for (ColumnAppender& column : columns_) ARROW_RETURN_NOT_OK(column.Shrink());
  arrow::ArrayDataVector data;
  for (ColumnAppender& column : columns_) data.push_back(column.Finish());
  return arrow::RecordBatch::Make(schema_, std::exchange(num_rows_, 0), std::move(data));
}

}  // namespace arka::lake

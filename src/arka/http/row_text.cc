#include "arka/http/row_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array/util.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>

#include "arka/http/csv_rows.h"
#include "arka/http/ndjson_rows.h"

namespace arka::http {
namespace {

std::string NamesOf(const arrow::Schema& schema) {
  std::string names;
  for (const auto& name : schema.field_names()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> FitColumns(const std::shared_ptr<arrow::Table>& rows,
                                                 const std::shared_ptr<arrow::Schema>& schema) {
  for (const auto& field : rows->schema()->fields()) {
    if (schema->GetFieldIndex(field->name()) < 0) {
      return Error(ErrorCode::kInvalidRequest, "the table has no column '", field->name(),
                   "'; it has ", NamesOf(*schema));
    }
    if (rows->schema()->GetAllFieldIndices(field->name()).size() > 1) {
      return Error(ErrorCode::kInvalidRequest, "column '", field->name(), "' is there twice");
    }
  }
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (const auto& field : schema->fields()) {
    auto column = rows->GetColumnByName(field->name());
    if (column == nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(field->type(), rows->num_rows()));
      column = std::make_shared<arrow::ChunkedArray>(std::move(nulls));
    }
    columns.push_back(std::move(column));
  }
  return arrow::Table::Make(schema, std::move(columns), rows->num_rows());
}

Result<std::shared_ptr<arrow::Buffer>> ParseRows(RowFormat format,
                                                 const std::shared_ptr<arrow::Buffer>& body,
                                                 const std::shared_ptr<arrow::Schema>& schema,
                                                 int64_t max_batch_rows) {
  if (format == RowFormat::kArrowStream) return body;
  if (body == nullptr || body->size() == 0) {
    return Error(ErrorCode::kInvalidRequest, "the body is empty; expected rows");
  }
  ARROW_ASSIGN_OR_RAISE(
      auto parsed, format == RowFormat::kCsv ? ParseCsv(body, schema) : ParseNdjson(body, schema));
  ARROW_ASSIGN_OR_RAISE(const auto rows, FitColumns(parsed, schema));
  parsed.reset();
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(out, schema));
  if (rows->num_rows() > 0) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows->CombineChunksToBatch());
    for (int64_t at = 0; at < batch->num_rows(); at += max_batch_rows) {
      ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch->Slice(at, max_batch_rows)));
    }
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  return out->Finish();
}

}  // namespace arka::http

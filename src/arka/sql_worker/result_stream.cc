#include "arka/sql_worker/result_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/c/bridge.h>
#include <arrow/table.h>
#include <arrow/type.h>

namespace arka::sql_worker {
namespace {

constexpr int64_t kMaxBatchRows = 64 << 10;
constexpr int64_t kMoreRowsEachTime = 4;

Result<std::shared_ptr<arrow::Schema>> ToArrowSchema(duckdb_arrow_options options,
                                                     const std::vector<OwnedType>& types,
                                                     std::vector<const char*> names) {
  std::vector<duckdb_logical_type> plain;
  for (const auto& type : types) plain.push_back(type.get());
  ArrowSchema exported{};
  const OwnedError error(
      duckdb_to_arrow_schema(options, plain.data(), names.data(), plain.size(), &exported));
  ARROW_RETURN_NOT_OK(ToStatus(error));
  return arrow::ImportSchema(&exported);
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> ResultSchemaOf(duckdb_connection connection,
                                                      const OwnedStatement& statement) {
  OwnedArrowOptions options;
  duckdb_connection_get_arrow_options(connection, options.out());
  std::vector<OwnedType> types;
  std::vector<std::string> names;
  const idx_t columns = duckdb_prepared_statement_column_count(statement.get());
  for (idx_t i = 0; i < columns; ++i) {
    types.emplace_back(duckdb_prepared_statement_column_logical_type(statement.get(), i));
    const char* name = duckdb_prepared_statement_column_name(statement.get(), i);
    names.emplace_back(name == nullptr ? "" : name);
    duckdb_free(const_cast<char*>(name));
  }
  std::vector<const char*> texts;
  for (const auto& name : names) texts.push_back(name.c_str());
  return ToArrowSchema(options.get(), types, std::move(texts));
}

Result<std::shared_ptr<arrow::Schema>> ParameterSchemaOf(duckdb_connection connection,
                                                         const OwnedStatement& statement) {
  OwnedArrowOptions options;
  duckdb_connection_get_arrow_options(connection, options.out());
  arrow::FieldVector fields;
  for (idx_t i = 1; i <= duckdb_nparams(statement.get()); ++i) {
    const std::string name = std::to_string(i);
    const duckdb_type known = duckdb_param_type(statement.get(), i);
    std::shared_ptr<arrow::DataType> type = arrow::null();
    if (known != DUCKDB_TYPE_INVALID && known != DUCKDB_TYPE_ANY && known != DUCKDB_TYPE_SQLNULL) {
      std::vector<OwnedType> types;
      types.emplace_back(duckdb_param_logical_type(statement.get(), i));
      ARROW_ASSIGN_OR_RAISE(const auto schema, ToArrowSchema(options.get(), types, {name.c_str()}));
      type = schema->field(0)->type();
    }
    fields.push_back(arrow::field(name, std::move(type)));
  }
  return arrow::schema(std::move(fields));
}

Result<ResultStream> ResultStream::Start(const OwnedStatement& statement) {
  ResultStream stream;
  if (duckdb_execute_prepared_streaming(statement.get(), stream.result_.out()) != DuckDBSuccess) {
    return DuckDbError(duckdb_result_error(stream.result_.out()));
  }
  stream.options_ = OwnedArrowOptions(duckdb_result_get_arrow_options(stream.result_.out()));
  std::vector<OwnedType> types;
  std::vector<const char*> names;
  for (idx_t i = 0; i < duckdb_column_count(stream.result_.out()); ++i) {
    types.emplace_back(duckdb_column_logical_type(stream.result_.out(), i));
    names.push_back(duckdb_column_name(stream.result_.out(), i));
  }
  ARROW_ASSIGN_OR_RAISE(stream.schema_,
                        ToArrowSchema(stream.options_.get(), types, std::move(names)));
  return stream;
}

// A chunk is at most 2,048 rows.
Result<std::shared_ptr<arrow::RecordBatch>> ResultStream::NextChunk() {
  const OwnedChunk chunk(duckdb_fetch_chunk(*result_.out()));
  if (chunk.get() == nullptr) {
    // The end and a failure look alike but for the message.
    const char* message = duckdb_result_error(result_.out());
    if (message != nullptr && *message != '\0') return DuckDbError(message);
    return nullptr;
  }
  ArrowArray exported{};
  const OwnedError error(duckdb_data_chunk_to_arrow(options_.get(), chunk.get(), &exported));
  ARROW_RETURN_NOT_OK(ToStatus(error));
  return arrow::ImportRecordBatch(&exported, schema_);
}

Result<std::shared_ptr<arrow::RecordBatch>> ResultStream::Next() {
  arrow::RecordBatchVector chunks;
  int64_t rows = 0;
  while (rows < batch_rows_ && !at_end_) {
    ARROW_ASSIGN_OR_RAISE(auto chunk, NextChunk());
    at_end_ = chunk == nullptr;  // DuckDB does not like to be asked again
    if (at_end_) break;
    rows += chunk->num_rows();
    if (chunk->num_rows() > 0) chunks.push_back(std::move(chunk));
  }
  batch_rows_ = std::min(std::max(rows, batch_rows_) * kMoreRowsEachTime, kMaxBatchRows);
  if (chunks.empty()) return nullptr;
  if (chunks.size() == 1) return chunks.front();
  return arrow::ConcatenateRecordBatches(chunks);
}

}  // namespace arka::sql_worker

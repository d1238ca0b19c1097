#include "arka/sql_worker/rows_function.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/sql_worker/duckdb_handles.h"

namespace arka::sql_worker {
namespace {

// What DuckDB makes of columns of these types.
Result<OwnedArrowTypes> ConvertedTypes(duckdb_connection connection, const arrow::Schema& schema) {
  ArrowSchema exported{};
  ARROW_RETURN_NOT_OK(arrow::ExportSchema(schema, &exported));
  OwnedArrowTypes types;
  const OwnedError error(duckdb_schema_from_arrow(connection, &exported, types.out()));
  if (exported.release != nullptr) exported.release(&exported);
  ARROW_RETURN_NOT_OK(ToStatus(error));
  return types;
}

Result<OwnedChunk> ToChunk(duckdb_connection connection, const arrow::RecordBatch& batch,
                           const OwnedArrowTypes& types) {
  ArrowArray exported{};
  ARROW_RETURN_NOT_OK(arrow::ExportRecordBatch(batch, &exported));
  OwnedChunk chunk;
  const OwnedError error(
      duckdb_data_chunk_from_arrow(connection, &exported, types.get(), chunk.out()));
  ARROW_RETURN_NOT_OK(ToStatus(error));
  return chunk;
}

// The rows that one use of the function in a statement is about.
struct Use {
  const RowsSource* source = nullptr;
  const MappedRows* rows = nullptr;
};

// One run over them, by several threads.
struct Scan {
  Use use;
  std::vector<int> columns;               // of the rows, in the order of `places`
  std::vector<idx_t> places;              // in the chunk that is asked for
  std::shared_ptr<arrow::Schema> schema;  // of the columns
  std::atomic<size_t> next_batch{0};
};

struct ThreadScan {
  OwnedArrowTypes types;
  std::shared_ptr<arrow::RecordBatch> batch;  // being given out; of the scan's columns
  int64_t given = 0;                          // rows of it
};

template <typename T>
void Delete(void* pointer) {
  delete static_cast<T*>(pointer);
}

// Errors become DuckDB's: those of the function that `Report` belongs to.
template <typename Info>
bool Failed(Info info, const Status& status, void (*report)(Info, const char*)) {
  if (status.ok()) return false;
  report(info, status.message().c_str());
  return true;
}

Status BindColumns(duckdb_bind_info info, const Use& use) {
  // A conversion of no rows tells the types.
  ARROW_ASSIGN_OR_RAISE(const auto none, arrow::RecordBatch::MakeEmpty(use.rows->schema));
  ARROW_ASSIGN_OR_RAISE(const auto types,
                        ConvertedTypes(use.source->connection, *use.rows->schema));
  ARROW_ASSIGN_OR_RAISE(const auto chunk, ToChunk(use.source->connection, *none, types));
  for (int i = 0; i < use.rows->schema->num_fields(); ++i) {
    const OwnedType type(duckdb_vector_get_column_type(
        duckdb_data_chunk_get_vector(chunk.get(), static_cast<idx_t>(i))));
    duckdb_bind_add_result_column(info, use.rows->schema->field(i)->name().c_str(), type.get());
  }
  duckdb_bind_set_cardinality(info, static_cast<idx_t>(use.rows->rows), true);
  return Status::OK();
}

void Bind(duckdb_bind_info info) {
  const auto* source = static_cast<const RowsSource*>(duckdb_bind_get_extra_info(info));
  const OwnedValue parameter(duckdb_bind_get_parameter(info, 0));
  const auto index = static_cast<size_t>(duckdb_get_int64(parameter.get()));
  if (index >= source->tables.size()) {
    return duckdb_bind_set_error(info, "arka_rows: there are no such rows");
  }
  auto* use = new Use{source, &source->tables[index]};
  duckdb_bind_set_bind_data(info, use, Delete<Use>);
  Failed(info, BindColumns(info, *use), duckdb_bind_set_error);
}

void Init(duckdb_init_info info) {
  auto* scan = new Scan;
  duckdb_init_set_init_data(info, scan, Delete<Scan>);
  scan->use = *static_cast<const Use*>(duckdb_init_get_bind_data(info));
  const auto& schema = *scan->use.rows->schema;
  arrow::FieldVector fields;
  for (idx_t place = 0; place < duckdb_init_get_column_count(info); ++place) {
    const idx_t column = duckdb_init_get_column_index(info, place);
    // Where rows are only counted, DuckDB asks for a column that is none.
    if (column >= static_cast<idx_t>(schema.num_fields())) continue;
    scan->columns.push_back(static_cast<int>(column));
    scan->places.push_back(place);
    fields.push_back(schema.field(static_cast<int>(column)));
  }
  scan->schema = arrow::schema(std::move(fields));
  duckdb_init_set_max_threads(info, std::max<idx_t>(scan->use.rows->batches.size(), 1));
}

void InitThread(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new ThreadScan, Delete<ThreadScan>);
}

Status GiveRows(Scan& scan, ThreadScan& thread, duckdb_data_chunk out) {
  while (thread.batch == nullptr || thread.given == thread.batch->num_rows()) {
    const size_t next = scan.next_batch++;
    if (next >= scan.use.rows->batches.size()) {
      duckdb_data_chunk_set_size(out, 0);
      return Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(thread.batch, scan.use.rows->batches[next]->SelectColumns(scan.columns));
    thread.given = 0;
  }
  const auto rows = std::min<int64_t>(static_cast<int64_t>(duckdb_vector_size()),
                                      thread.batch->num_rows() - thread.given);
  if (!scan.columns.empty()) {
    if (thread.types.get() == nullptr) {
      ARROW_ASSIGN_OR_RAISE(thread.types,
                            ConvertedTypes(scan.use.source->connection, *scan.schema));
    }
    ARROW_ASSIGN_OR_RAISE(const auto chunk,
                          ToChunk(scan.use.source->connection,
                                  *thread.batch->Slice(thread.given, rows), thread.types));
    for (size_t i = 0; i < scan.places.size(); ++i) {
      duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(out, scan.places[i]),
                                     duckdb_data_chunk_get_vector(chunk.get(), i));
    }
  }
  thread.given += rows;
  duckdb_data_chunk_set_size(out, static_cast<idx_t>(rows));
  return Status::OK();
}

void Give(duckdb_function_info info, duckdb_data_chunk out) {
  auto& scan = *static_cast<Scan*>(duckdb_function_get_init_data(info));
  auto& thread = *static_cast<ThreadScan*>(duckdb_function_get_local_init_data(info));
  Failed(info, GiveRows(scan, thread, out), duckdb_function_set_error);
}

}  // namespace

Status RegisterRowsFunction(duckdb_connection connection, RowsSource& source) {
  const OwnedTableFunction function(duckdb_create_table_function());
  const std::string name(kRowsFunction);
  duckdb_table_function_set_name(function.get(), name.c_str());
  const OwnedType index(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), index.get());
  duckdb_table_function_set_extra_info(function.get(), &source, nullptr);
  duckdb_table_function_set_bind(function.get(), Bind);
  duckdb_table_function_set_init(function.get(), Init);
  duckdb_table_function_set_local_init(function.get(), InitThread);
  duckdb_table_function_set_function(function.get(), Give);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(connection, function.get()) != DuckDBSuccess) {
    return Error(ErrorCode::kInternal, "DuckDB does not take the table function ", name);
  }
  return Status::OK();
}

}  // namespace arka::sql_worker

// INSERT INTO a table what a query makes: the query runs in a worker like any other, its rows are
// converted to the table's types there, and go to the log like any write.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/flight_sql/row_writer.h"
#include "arka/query/sql_queries.h"
#include "arka/query/table_snapshot.h"

namespace arka::flight_sql {

/// Whether a table may be written to.
using MayWrite = std::function<Status(const iceberg::TableIdentifier&)>;

struct InsertContext {
  ingest::Engine& engine;
  const query::ReadSource& source;
  query::SqlQueries& queries;
  std::string default_namespace;
  query::MayRead may_read;
  MayWrite may_write;
  RowWriterOptions options;
};

/// The types of the parameters of an INSERT; kInvalidRequest and kNotFound for one that cannot be
/// run. Blocks, as the next.
Result<std::shared_ptr<arrow::Schema>> DescribeInsert(const InsertContext& context,
                                                      const std::string& sql);

/// Runs it, once for every row of `parameters` (null: once, without). Answers how many rows were
/// written, all on LOCAL_DISK. Not atomic: after an error, the rows of before stay.
Result<int64_t> ExecuteInsert(const InsertContext& context, const std::string& sql,
                              const std::shared_ptr<arrow::RecordBatch>& parameters);

}  // namespace arka::flight_sql

// SQL over tables as they are now, committed rows and fresh ones, each exactly once.
//
// A worker process parses the statement and says which tables it names; their snapshots are taken
// here; the worker reads Parquet files by itself, and gets the rows that have not been committed
// yet in files in memory. What a statement does, it does to its worker: memory, time and
// processor are bounded there, and a worker that oversteps is ended. Thread-safe; calls block, so
// run them by Run.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/iceberg/catalog.h"
#include "arka/query/as_of.h"
#include "arka/query/data_file_cache.h"
#include "arka/query/fresh_rows.h"
#include "arka/query/known_statements.h"
#include "arka/query/local_files.h"
#include "arka/query/rows_file.h"
#include "arka/query/sql_result.h"
#include "arka/query/table_snapshot.h"
#include "arka/query/worker_pool.h"
#include "arka/sql/run_request.h"

namespace arka::query {

struct SqlOptions {
  WorkerPoolOptions workers;
  std::chrono::milliseconds timeout{60'000};  // for a query, from its start to its last row
  int64_t fresh_rows_memory_bytes = int64_t{2} << 30;
  DataFileCache* data_file_cache = nullptr;  // outlives the queries; null: nothing is copied
};

/// Whether a table may be read: asked for each one that a statement names, before it is looked at.
using MayRead = std::function<Status(const iceberg::TableIdentifier&)>;

struct SqlStatement {
  std::string sql;
  std::shared_ptr<arrow::RecordBatch> parameters;  // one row, or null where there are none
  MayRead may_read;                                // empty: all may be read
  std::string default_namespace;  // of tables that are named without one; empty: the server's
  AsOf as_of = {};                // the state of every table that it names
};

struct SqlDescription {
  std::shared_ptr<arrow::Schema> schema;      // of the result
  std::shared_ptr<arrow::Schema> parameters;  // of type null where any type will do
  std::vector<iceberg::TableIdentifier> tables;
};

class SqlQueries {
 public:
  /// What `source` names must outlive the queries.
  SqlQueries(const ReadSource& source, SqlOptions options);

  /// What a statement would answer; its parameters are not looked at. kInvalidRequest for what is
  /// not one SELECT that the tables allow, kNotFound for a table that is not there, kBackpressure
  /// where all workers are busy.
  Result<SqlDescription> Describe(const SqlStatement& statement);

  /// Starts a query over all writes that were acknowledged before the call. Errors as Describe's
  /// and TakeSnapshot's. The queries must outlive the result.
  Result<std::unique_ptr<SqlResult>> Execute(const SqlStatement& statement);

  /// Gives back the memory of what nobody has asked for lately; to be called now and then.
  void Sweep() { fresh_rows_.Sweep(); }

  /// Runs what blocks, on as many threads as there may be queries that run or wait.
  void Run(std::function<void()> task) { threads_.Post(std::move(task)); }

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  /// A table, and as what the worker is to know it.
  struct NamedTable {
    iceberg::TableIdentifier identifier;
    sql::WorkerTable seen;
  };
  /// The tables that a statement names, allowed to be read.
  Result<std::vector<NamedTable>> TablesOf(const SqlStatement& statement, Deadline deadline);
  Result<std::vector<sql::TableReference>> Parse(const SqlStatement& statement, Deadline deadline);
  Result<NamedTable> Resolve(const sql::TableReference& reference,
                             const SqlStatement& statement) const;
  Result<std::shared_ptr<arrow::Schema>> SchemaOf(const iceberg::TableIdentifier& table,
                                                  const AsOf& as_of) const;
  /// Says in `table` where the worker finds its rows; the parts are of its `rows`.
  Result<std::vector<RowsPart>> ReadTable(NamedTable* table, const AsOf& as_of,
                                          LocalFiles& local_files, Deadline deadline);
  /// The rows of these data files and, where it is said, the snapshot's fresh ones.
  Result<RowsPart> ReadHere(const TableSnapshot& snapshot, std::vector<iceberg::DataFile> files,
                            bool fresh);
  /// `schema` stands for the snapshot's.
  Result<bool> IsReadByWorkers(const TableSnapshot& snapshot, size_t schema,
                               const iceberg::DataFile& file, const LocalFile& local);

  const ReadSource source_;
  const SqlOptions options_;
  FreshRows fresh_rows_;
  KnownStatements statements_;
  WorkerPool workers_;
  std::mutex mutex_;
  std::map<std::string, size_t>
      read_by_workers_;  // data files, by URI, and which schema finds them; guarded by mutex_
  TaskQueue threads_;    // last: its tasks use the rest
};

}  // namespace arka::query

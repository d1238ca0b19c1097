// One DuckDB in memory, locked: no file but those of its tables, no network, no extension, no
// setting.
//
// What is let in is said once, before anything of a statement is seen; DuckDB does not let it be
// widened again. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <duckdb.h>

#include "arka/base/error.h"
#include "arka/sql/run_request.h"
#include "arka/sql_worker/duckdb_handles.h"
#include "arka/sql_worker/rows_function.h"

namespace arka::sql_worker {

struct DatabaseOptions {
  int threads = 2;
  int64_t memory_limit_bytes = int64_t{1} << 30;
  std::string catalog = "lake";            // what the names of tables may be prefixed with
  std::string default_namespace = "arka";  // of tables that are named without one
};

class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  ~Database();

  /// The syntax tree of `sql`, as JSON (sql/statement_check.h).
  Result<std::string> SyntaxTree(const std::string& sql);

  /// Locks it, once: from now on no file is read but those of `tables`.
  Status Lock(const std::vector<sql::WorkerTable>& tables);
  /// Whether it is locked to files of which those of `tables` are some.
  bool MayRead(const std::vector<sql::WorkerTable>& tables) const;

  /// Makes these tables known, and no others. `rows` are those of the tables that have any, in
  /// their order. Their files must have been let in.
  Status SetTables(const std::vector<sql::WorkerTable>& tables, std::vector<MappedRows> rows);

  /// Prepares one statement; the caller has judged it.
  Result<OwnedStatement> Prepare(const std::string& sql);

  duckdb_connection connection() const { return connection_.get(); }

 private:
  Database() = default;
  Status Execute(const std::string& sql);

  // In this order: connections go before the database, whose functions point to the rows.
  RowsSource rows_;
  OwnedDatabase database_;
  OwnedConnection conversions_;
  OwnedConnection connection_;
  std::optional<std::unordered_set<std::string>> files_;  // none until it is locked
  std::string catalog_;                                   // quoted
  std::vector<std::string> views_;                        // the tables that it has now, quoted
};

}  // namespace arka::sql_worker

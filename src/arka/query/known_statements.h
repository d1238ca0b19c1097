// What was learned of statements, so that the same text need not be asked about again.
//
// What tables a text names depends on nothing else. What it answers depends on the tables' columns
// too, and is kept with them. The statements that were not used for the longest are forgotten
// first. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/sql/run_request.h"

namespace arka::query {

class KnownStatements {
 public:
  explicit KnownStatements(size_t max_statements = 1'000, size_t max_statement_bytes = 16 << 10)
      : max_statements_(max_statements), max_statement_bytes_(max_statement_bytes) {}

  /// The tables that `sql` names.
  std::optional<std::vector<sql::TableReference>> TablesOf(std::string_view sql);
  void LearnTables(const std::string& sql, std::vector<sql::TableReference> tables);

  struct Schemas {
    std::shared_ptr<arrow::Schema> result;
    std::shared_ptr<arrow::Schema> parameters;
  };
  /// What it answers from tables that have just these columns.
  std::optional<Schemas> SchemasOf(std::string_view sql,
                                   const std::vector<sql::WorkerTable>& tables);
  /// Of a statement whose tables are known; else nothing is learned.
  void LearnSchemas(std::string_view sql, std::vector<sql::WorkerTable> tables, Schemas schemas);

  size_t size() const;

 private:
  struct Known {
    std::string sql;
    std::vector<sql::TableReference> references;
    std::vector<sql::WorkerTable> tables;  // that the schemas are of
    std::optional<Schemas> schemas;
  };

  Known* Find(std::string_view sql);  // with mutex_ held

  const size_t max_statements_;
  const size_t max_statement_bytes_;
  mutable std::mutex mutex_;
  std::list<Known> statements_;  // the last used comes first; guarded by mutex_
  std::map<std::string_view, std::list<Known>::iterator> by_sql_;  // guarded by mutex_
};

}  // namespace arka::query

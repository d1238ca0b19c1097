// A query in SQL as a result that a ticket stands for: every read of it runs the query anew, over
// what was acknowledged by then.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arka/query/held_result.h"
#include "arka/query/sql_queries.h"

namespace arka::query {

/// Of one part.
class QueryResult : public HeldResult {
 public:
  /// `description` is what the statement was described as: a read fails where the tables were
  /// altered since, so that its columns are others. `queries` must outlive the result and its
  /// readers.
  QueryResult(SqlQueries& queries, SqlStatement statement, SqlDescription description)
      : queries_(queries), statement_(std::move(statement)), description_(std::move(description)) {}

  std::vector<std::string> tables() const override;
  Result<std::unique_ptr<ResultReader>> Read(size_t part) override;
  void Cancel() override;
  void Run(std::function<void()> task) override { queries_.Run(std::move(task)); }
  bool runs_by_itself() const override { return true; }

 private:
  SqlQueries& queries_;
  const SqlStatement statement_;
  const SqlDescription description_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<SqlResult>> running_;  // guarded by mutex_
};

}  // namespace arka::query

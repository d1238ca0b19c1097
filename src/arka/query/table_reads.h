// What the services need to read tables: where from, the results that tickets stand for, the
// queries in SQL, and the threads that do the reading. Owned by the composition root; destroyed
// before the engine.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "arka/base/task_queue.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"
#include "arka/query/result_registry.h"
#include "arka/query/sql_queries.h"
#include "arka/query/table_snapshot.h"

namespace arka::query {

struct TableReadsOptions {
  int threads = 2;
  ResultRegistryOptions results;
  std::optional<SqlOptions> sql;  // none: SQL is not answered
};

class TableReads {
 public:
  /// What `source` names, `clock` and `random` must outlive the reads.
  TableReads(ReadSource source, const Clock& clock, Random& random, TableReadsOptions options = {})
      : source(std::move(source)),
        results(clock, random, options.results),
        threads_("arka-read", options.threads) {
    if (options.sql) sql_.emplace(this->source, *std::move(options.sql));
  }

  const ReadSource source;
  ResultRegistry results;

  /// Queries in SQL; kUnimplemented where they are switched off.
  Result<SqlQueries*> sql() {
    if (sql_) return &*sql_;
    return Error(ErrorCode::kUnimplemented, "SQL is switched off here: query.workers is 0");
  }

  /// Forgets what nobody has asked for lately; to be called every few seconds.
  void Sweep() {
    results.Sweep();
    if (sql_) sql_->Sweep();
  }

  /// Runs what blocks. A task reads one batch, so that reads take turns.
  void Run(std::function<void()> task) { threads_.Post(std::move(task)); }

 private:
  std::optional<SqlQueries> sql_;
  TaskQueue threads_;  // last: its tasks use the rest
};

}  // namespace arka::query

// Rows out of the log as query workers read them, kept for the queries that come next.
//
// Fresh rows do not change: they only become more, and fewer once they are committed. So what one
// query had read out of the log is there for the next one, which reads only what came since. Kept
// as a few files per table, so that the memory of what was committed is given back. Thread-safe;
// blocks on the log.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/query/rows_file.h"
#include "arka/query/table_snapshot.h"

namespace arka::query {

class FreshRows {
 public:
  /// Keeps up to `memory_bytes`; gives up the tables first that were not asked for the longest.
  /// What `source` names must outlive it.
  FreshRows(const ReadSource& source, int64_t memory_bytes);
  ~FreshRows();

  /// All of the snapshot's fresh rows; where a later read saw more of them, those too: they are
  /// writes to the table that are on disk and in none of the snapshot's files. kBackpressure where
  /// they do not fit; errors of the log.
  Result<std::vector<RowsPart>> Read(const std::shared_ptr<const TableSnapshot>& snapshot);

  /// Forgets tables that nobody has asked for during the last kIdleSweeps calls.
  static constexpr int kIdleSweeps = 12;
  void Sweep();

  /// What all files of rows for workers share.
  RowsBudget& budget() { return budget_; }

 private:
  struct KnownTable;

  std::shared_ptr<KnownTable> Use(const std::string& uuid);
  bool ForgetOldest();
  /// Adds what the log has above what is known. With the table's mutex held.
  Status ReadOn(const std::shared_ptr<const TableSnapshot>& snapshot, KnownTable& table);

  const ReadSource& source_;
  RowsBudget budget_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<KnownTable>> tables_;  // by UUID; guarded by mutex_
  int64_t uses_ = 0;                                           // guarded by mutex_
};

}  // namespace arka::query

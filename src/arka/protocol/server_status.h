// The server's status as clients read it (docs/spec/wire.md, "Status").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/protocol/ack_batch.h"

namespace arka::protocol {

/// How far a table's writes are.
struct TableStatus {
  std::string name;
  std::string uuid;
  Lsn committed_lsn;           // every write to it up to this one is committed
  int64_t pending_writes = 0;  // taken and not committed
  int64_t pending_bytes = 0;   // of these, about
  int64_t last_commit_us = 0;  // since the epoch; 0: none since the server started
  std::string problem;         // why its writes are not committed, and what to do; empty: nothing
  int64_t problem_since_us = 0;
};

struct ServerStatus {
  Watermarks watermarks;
  double lag_seconds = 0;  // age of the oldest write that has not reached OBJECT_STORAGE; 0: none
  std::string version;
  std::string node;
  bool ready = true;
  std::string problem;              // what is wrong, in words; empty: nothing
  std::vector<TableStatus> tables;  // those with a problem first; not all, where there are many

  // What writes hold of each budget, and how much of it there is.
  int64_t write_memory_bytes = 0;  // of writes in memory (write_buffer.max_unflushed_bytes)
  int64_t write_memory_limit_bytes = 0;
  // Of the log on disk, without spare files (wal.max_bytes; 0: no bound).
  int64_t log_bytes = 0;
  int64_t log_limit_bytes = 0;
  // Of writes that are not on disk yet.
  int64_t undurable_bytes = 0;
  // Of the whole process (server.memory_limit); 0 where it is not bounded.
  int64_t process_memory_bytes = 0;
  int64_t process_memory_limit_bytes = 0;
  // Writes that wait for room now, that ever had to, and that gave up.
  int64_t waiting_writes = 0;
  int64_t waited_writes = 0;
  int64_t refused_writes = 0;
  // Writes whose rows are in the log only and will be read back: first..last, about so many bytes.
  int64_t backlog_bytes = 0;
  Lsn backlog_first_lsn = kNoLsn;
  Lsn backlog_last_lsn = kNoLsn;
};

/// {"disk_lsn": …, "s3_lsn": …, "committed_lsn": …, "last_lsn": …, "lag_seconds": …, "version": …,
/// "node": …, "ready": …, "problem": …, and the budgets, each field under its name here; "tables":
/// [{"name": …, "uuid": …, "committed_lsn": …, "pending_writes": …, "pending_bytes": …,
/// "last_commit_us": …, "problem": …, "problem_since_us": …}, …]}
std::string ToJson(const ServerStatus& status);

/// The same fields, without the tables, as a table of one row.
Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ServerStatus& status);

}  // namespace arka::protocol

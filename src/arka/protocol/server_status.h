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
};

/// {"disk_lsn": …, "s3_lsn": …, "committed_lsn": …, "last_lsn": …, "lag_seconds": …, "version": …,
/// "node": …, "ready": …, "problem": …, "tables": [{"name": …, "uuid": …, "committed_lsn": …,
/// "pending_writes": …, "pending_bytes": …, "last_commit_us": …, "problem": …,
/// "problem_since_us": …}, …]}
std::string ToJson(const ServerStatus& status);

/// The same fields, without the tables, as a table of one row.
Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ServerStatus& status);

}  // namespace arka::protocol

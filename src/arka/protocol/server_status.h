// The server's status as clients read it (docs/spec/wire.md, "Status").
#pragma once

#include <memory>
#include <string>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/protocol/ack_batch.h"

namespace arka::protocol {

struct ServerStatus {
  Watermarks watermarks;
  double lag_seconds = 0;  // age of the oldest write that has not reached OBJECT_STORAGE; 0: none
  std::string version;
  std::string node;
  bool ready = true;
  std::string problem;  // what is wrong, in words; empty: nothing
};

/// {"disk_lsn": …, "s3_lsn": …, "committed_lsn": …, "last_lsn": …, "lag_seconds": …, "version": …,
/// "node": …, "ready": …, "problem": …}
std::string ToJson(const ServerStatus& status);

/// The same fields as a table of one row.
Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ServerStatus& status);

}  // namespace arka::protocol

// The rows of a query that runs in a worker, message by message.
//
// Next blocks, one thread at a time; Cancel may be called from any thread, also meanwhile. The
// query ends when its result is destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/query/local_files.h"
#include "arka/query/rows_file.h"
#include "arka/query/worker_pool.h"

namespace arka::query {

/// A record batch as an IPC message.
struct SqlMessage {
  std::shared_ptr<arrow::Buffer> metadata;
  std::shared_ptr<arrow::Buffer> body;
};

class SqlResult {
 public:
  /// `worker` has sent the schema, and rows come next; it reads `rows` and `files` meanwhile.
  /// `deadline`: the query is ended then.
  SqlResult(WorkerPool::Lease worker, std::shared_ptr<arrow::Schema> schema,
            std::chrono::steady_clock::time_point deadline, std::vector<RowsPart> rows,
            std::unique_ptr<LocalFiles> files)
      : rows_(std::move(rows)),
        files_(std::move(files)),
        worker_(std::move(worker)),
        schema_(std::move(schema)),
        deadline_(deadline) {}
  ~SqlResult();

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Nothing once there are no more rows. kTimedOut at the deadline, kTooLarge where the query
  /// needed more memory than it may use, kCancelled, kInvalidRequest for errors of the statement.
  Result<std::optional<SqlMessage>> Next();

  /// The same as a record batch; nullptr once there are no more.
  Result<std::shared_ptr<arrow::RecordBatch>> NextBatch();

  /// Ends the query, where it is not done: a Next that waits returns, with kCancelled.
  void Cancel();

 private:
  const std::vector<RowsPart> rows_;
  const std::unique_ptr<LocalFiles> files_;  // until the worker has ended, or waits
  WorkerPool::Lease worker_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::chrono::steady_clock::time_point deadline_;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> done_{false};
};

/// Sends a frame to a worker; one that is gone is ended, and the error says why it went.
Status SendFrame(WorkerPool::Lease& worker, sql::FrameKind kind, std::string_view text,
                 const std::vector<std::shared_ptr<arrow::Buffer>>& body = {},
                 const std::vector<int>& files = {});

/// The next frame, of one of two kinds, or the error that came in its place; a worker that is gone
/// or late is ended.
Result<sql::Frame> ReceiveFrame(WorkerPool::Lease& worker, sql::FrameKind wanted,
                                sql::FrameKind or_else,
                                std::chrono::steady_clock::time_point deadline);

}  // namespace arka::query

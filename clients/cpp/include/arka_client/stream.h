// A stream of writes to one table: each is written once, whatever happens to the server and to the
// way to it, and tells how durable it is.
//
// Made by Client::Open(). Any thread may call any method; writes get their order from the order of
// the calls. Where a method takes a timeout and none is given, it is the client's deadline; what
// runs out of it fails with DEADLINE_EXCEEDED and harms nothing. An error of the stream itself is
// final: every call from then on ends with it.
#pragma once

#include "arka_client/ack.h"
#include "arka_client/error.h"
#include "arka_client/options.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/future.h>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::client {

class Outbox;
struct StreamParts;
struct WriteRecord;

using Timeout = std::optional<std::chrono::milliseconds>;

/// One write, as a future of its LSN and its levels. Copies are of the same write; it may outlive
/// its stream.
class WriteHandle {
 public:
  /// Waits until the server has named the write, in its MEMORY ack. The LSN is final from
  /// LOCAL_DISK on: before, a crash may take it, and the write is sent again and gets another.
  arrow::Result<arka::Lsn> Lsn(Timeout timeout = {}) const;
  /// Waits until the write, and every one before it in the stream, has reached `level`.
  arrow::Result<arka::Lsn> Wait(Tier level = Tier::kLocalDisk, Timeout timeout = {}) const;
  /// The same as a future, which fails when the stream does, or ends before. It is completed on
  /// Arrow's CPU thread pool, where its continuations run: those may call whatever they like, in no
  /// promised order.
  arrow::Future<arka::Lsn> WaitAsync(Tier level = Tier::kLocalDisk) const;

  /// The LSN by now; nothing before the first ack.
  std::optional<arka::Lsn> lsn() const;
  /// The level by now; nothing before the first ack.
  std::optional<Tier> level() const;
  /// The producer's number of the write.
  int64_t seq() const;

 private:
  friend class Stream;
  WriteHandle(std::shared_ptr<Outbox> outbox, std::shared_ptr<WriteRecord> record);

  std::shared_ptr<Outbox> outbox_;
  std::shared_ptr<WriteRecord> record_;
};

/// What of a stream's writes has not reached a level: a gauge to watch.
struct Lag {
  int64_t writes = 0;
  std::chrono::nanoseconds oldest{0};  // since the oldest of them was handed to the stream
};

class Stream {
 public:
  /// Ends the stream as Abort() does. Takes some seconds where gRPC does not let go, and no longer.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Writing

  /// Hands a batch over: no I/O. Waits where the budget is used up, until batches have reached the
  /// server's disk. The batch is kept until it has; its buffers must not be changed meanwhile.
  arrow::Result<WriteHandle> Write(std::shared_ptr<arrow::RecordBatch> batch, Timeout timeout = {});
  /// The same, but fails with RESOURCE_EXHAUSTED, retryable, where the budget is used up.
  arrow::Result<WriteHandle> TryWrite(std::shared_ptr<arrow::RecordBatch> batch);
  /// Write() and WriteHandle::Wait() within one timeout.
  arrow::Result<Lsn> WriteDurable(std::shared_ptr<arrow::RecordBatch> batch,
                                  Tier level = Tier::kLocalDisk, Timeout timeout = {});

  // Waiting

  /// Waits until every write so far has reached `level`.
  arrow::Status WaitForDurability(Tier level = Tier::kLocalDisk, Timeout timeout = {});
  /// Waits until the write of that LSN, and every one before it in the stream, has reached `level`.
  arrow::Status WaitForDurability(Lsn lsn, Tier level, Timeout timeout = {});
  /// WaitForDurability() of all so far, and has the server hurry: upload and commit begin at once,
  /// not at their next interval.
  arrow::Status Flush(Tier level = Tier::kLocalDisk, Timeout timeout = {});

  // Looking

  const std::string& table() const;
  const std::string& producer() const;
  const std::string& session() const;
  /// The number that the next write gets: 1 for a new producer.
  int64_t next_seq() const;
  /// How many writes were handed over, and how many of them have reached `level`.
  int64_t written() const;
  int64_t reached(Tier level) const;
  Lag lag(Tier level) const;
  /// Of batches that are kept: at most the budget, or one batch.
  int64_t kept_bytes() const;
  /// The batches that are not on LOCAL_DISK as far as is known, in order: after an error, what may
  /// not have been written.
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending() const;
  /// How far the server is as a whole, as it said last on this stream (ten times a second at most).
  Watermarks watermarks() const;

  // The end

  /// Takes no more writes, waits until every one has reached `level`, and ends the stream within
  /// the timeout: late, it fails with DEADLINE_EXCEEDED, and the stream is gone all the same.
  /// Closing again does nothing.
  arrow::Status Close(Tier level = Tier::kLocalDisk, Timeout timeout = {});
  /// Ends the stream at once. Whether what is pending() was written is not known.
  void Abort();

 private:
  friend class Client;
  explicit Stream(std::unique_ptr<StreamParts> parts);

  const std::unique_ptr<StreamParts> parts_;
};

}  // namespace arka::client

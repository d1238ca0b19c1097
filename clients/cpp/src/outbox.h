// What a stream has taken on and not yet delivered, and who waits for it: the Ledger under a lock,
// between those who write and wait (Stream) and the two threads that send and read (Courier).
//
// Any thread may call any method. Nothing here does I/O, and nothing calls back under the lock.
#pragma once

#include "arka_client/ack.h"
#include "deadline.h"
#include "ledger.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>
#include <arrow/util/future.h>

namespace arka::client {

/// Of acks that nobody has taken; beyond that the oldest are forgotten.
inline constexpr size_t kAcksKept = 1 << 18;

/// About how many bytes it takes to keep a batch; of a slice its own part.
int64_t BatchBytes(const arrow::RecordBatch& batch);

struct OutboxOptions {
  int64_t budget_bytes = 0;
  std::chrono::milliseconds deadline{0};  // of waits that are given no timeout
  bool keep_acks = false;                 // for TakeAcks()
  std::shared_ptr<arrow::Schema> schema;  // null: that of the first batch
};

class Outbox {
 public:
  Outbox(Ledger ledger, OutboxOptions options);

  /// When a wait that begins now is over: after `timeout`, or the deadline.
  Deadline Until(std::optional<std::chrono::milliseconds> timeout) const;

  // For those who write

  /// Takes a batch on once there is room, or fails: with DEADLINE_EXCEEDED at `until`, without one
  /// (nullopt) with RESOURCE_EXHAUSTED at once; INVALID_ARGUMENT for another schema.
  arrow::Result<std::shared_ptr<WriteRecord>> Put(std::shared_ptr<arrow::RecordBatch> batch,
                                                  std::optional<Deadline> until);
  /// OK once there is room for such a batch, which another may take first; else as Put().
  arrow::Status AwaitRoom(const arrow::RecordBatch& batch, Deadline until);
  std::shared_ptr<arrow::Schema> schema() const;

  // For those who wait and look

  /// OK once every write up to that number has the level; DEADLINE_EXCEEDED at `until`, else what
  /// the stream ended with.
  arrow::Status Wait(int64_t number, Tier level, Deadline until);
  /// As Wait() for that write, as a future of its LSN. It is completed on Arrow's CPU thread pool.
  arrow::Future<Lsn> When(std::shared_ptr<WriteRecord> record, Tier level);
  /// The last write that Wait() has to wait for, so that the write of this LSN has a level.
  arrow::Result<int64_t> NumberOf(Lsn lsn) const;
  /// Acks that nobody has taken; waits for the first. Empty: the stream has ended.
  std::deque<Ack> TakeAcks();
  std::vector<std::shared_ptr<arrow::RecordBatch>> Pending() const;
  Watermarks watermarks() const;
  /// look(ledger) under the lock.
  template <typename Look>
  auto With(Look look) const {
    const std::lock_guard lock(mutex_);
    return look(ledger_);
  }

  // The end

  /// Takes nothing more on.
  void Close();
  /// All is said: the courier may go once nothing is kept.
  void Finish();
  /// The courier is to go at once.
  void Abort();
  /// Nothing more will be acknowledged, because of `why`: tells those who wait. Again: no effect.
  void End(arrow::Status why);
  /// Whether End() came before `until`.
  bool WaitEnd(Deadline until);

  // For the courier

  enum class Work { kConnect, kEnd };
  /// Waits until a connection is needed, because something is kept or somebody waits or listens
  /// (`wanted`: in any case); kEnd: never again. `waited` says whether it had to.
  Work AwaitWork(bool wanted, bool* waited);
  /// Waits for so long, or until Abort().
  void Pause(std::chrono::milliseconds delay);
  void BeginConnection();
  struct Outgoing {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t seq;
  };
  /// Waits for the next write to send. Nothing: the connection or the stream is at its end.
  std::optional<Outgoing> Next();
  /// The present connection is at its end: Next() waits no longer.
  void EndConnection();
  bool aborted() const;
  bool finishing() const;
  arrow::Status Take(const protocol::AckBatchContents& acks);
  arrow::Status Resume(const ProducerState& server, const std::string& producer);

 private:
  bool HasRoom(int64_t bytes) const;
  arrow::Status AwaitRoom(std::unique_lock<std::mutex>& lock, int64_t bytes, Deadline until);
  arrow::Status Refusal() const;
  bool IsNeeded() const;
  void Tell(std::vector<Ack> told);

  struct Waiter {
    std::shared_ptr<WriteRecord> record;
    arrow::Future<Lsn> future;
  };
  using Waiters = std::multimap<int64_t, Waiter>;  // by number of the write
  std::vector<Waiter> TakeDone();
  static void Complete(std::vector<Waiter> waiters, const arrow::Status& how);

  mutable std::mutex mutex_;
  std::condition_variable work_;      // for the courier
  std::condition_variable room_;      // kept bytes were freed
  std::condition_variable progress_;  // writes have reached levels
  std::condition_variable heard_;     // acks_ has some
  Ledger ledger_;
  OutboxOptions options_;
  std::deque<Ack> acks_;
  Watermarks watermarks_;
  int waiting_ = 0;                 // threads in Wait()
  std::array<Waiters, 4> waiters_;  // of When(), by level
  bool courier_waits_ = false;      // spares a notify for every write
  bool connection_ended_ = false;
  bool closing_ = false;
  bool finishing_ = false;
  bool aborted_ = false;
  bool ended_ = false;
  arrow::Status why_;  // of the end
};

}  // namespace arka::client

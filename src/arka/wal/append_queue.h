// Where appenders leave their records for the log thread, and wait for it.
//
// Gives LSNs in the order of arrival and keeps the durable watermark. A push is a lock, an LSN and
// a move; the log thread is woken only where it sleeps. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "arka/io/clock.h"
#include "arka/wal/log.h"
#include "arka/wal/lsn_reservation.h"

namespace arka::wal {

class AppendQueue {
 public:
  /// `durable`: the last LSN of the runs before.
  AppendQueue(Clock& clock, LsnReservation& reservation, Lsn durable);

  /// Gives `record` the next LSN and queues it. The first error once failed, kShuttingDown once
  /// closed, and the reservation's error: kBackpressure leaves the queue as it is, others fail it.
  Result<Lsn> Push(WriteRecord record, int64_t frame_bytes);

  /// Moves everything queued to the empty `out`, which keeps its capacity. Appends keep theirs.
  void Take(std::vector<WriteRecord>& out);

  /// Sleeps until there is something to take, or the queue is closed, failed, or being flushed;
  /// with company wanted until `longest_wait` after the first record or `enough_bytes` are queued.
  /// False where nothing of all that came within `patience`.
  bool WaitForWork(std::chrono::microseconds patience, std::chrono::microseconds longest_wait,
                   int64_t enough_bytes);
  /// Sleeps for `pause`, or until the queue is closed.
  void WaitForRoom(std::chrono::microseconds pause);

  /// The log thread's reports: records through `lsn`, `frame_bytes` of them, are durable; and then,
  /// once its listener has heard, those who wait for them may go on.
  void SetDurable(Lsn lsn, int64_t frame_bytes);
  void WakeWaiters(Lsn lsn);
  /// Nothing more will be durable. The first error stays.
  void Fail(const Status& error);
  void Close();

  /// Sleeps until everything pushed before is durable; the error once failed.
  Status WaitDurable();

  bool closed() const;
  Status error() const;
  bool empty() const;
  Lsn last_lsn() const { return Lsn{last_lsn_.load(std::memory_order_acquire)}; }
  Lsn durable_lsn() const { return Lsn{durable_lsn_.load(std::memory_order_acquire)}; }
  int64_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }

 private:
  Clock& clock_;
  LsnReservation& reservation_;
  std::atomic<int64_t> last_lsn_;
  std::atomic<int64_t> durable_lsn_;
  std::atomic<int64_t> pending_bytes_{0};

  mutable std::mutex mutex_;
  std::condition_variable work_;     // the log thread waits here
  std::condition_variable durable_;  // flushers wait here
  // Guarded by mutex_.
  std::vector<WriteRecord> queue_;
  int64_t queued_bytes_ = 0;
  SteadyTime first_at_;  // when the oldest in queue_ came
  bool sleeping_ = false;
  bool timed_ = false;  // first_at_ is needed
  bool closed_ = false;
  int flushing_ = 0;
  Lsn reported_;  // durable, and the listener has heard
  Status error_;
};

}  // namespace arka::wal

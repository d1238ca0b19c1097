#include "arka/wal/append_queue.h"

#include <utility>

namespace arka::wal {

AppendQueue::AppendQueue(Clock& clock, LsnReservation& reservation, Lsn durable)
    : clock_(clock),
      reservation_(reservation),
      last_lsn_(durable.value),
      durable_lsn_(durable.value),
      reported_(durable) {}

Result<Lsn> AppendQueue::Push(WriteRecord record, int64_t frame_bytes) {
  std::unique_lock lock(mutex_);
  if (!error_.ok()) return error_;
  if (closed_) return Error(ErrorCode::kShuttingDown, "wal: the log is closed");
  Result<Lsn> lsn = reservation_.Take();
  if (!lsn.ok()) {
    if (CodeOf(lsn.status()) != ErrorCode::kBackpressure) {
      error_ = lsn.status();
      work_.notify_all();
      durable_.notify_all();
    }
    return lsn;
  }
  record.lsn = *lsn;
  if (queue_.empty() && timed_) first_at_ = clock_.Now();
  queue_.push_back(std::move(record));
  queued_bytes_ += frame_bytes;
  pending_bytes_.fetch_add(frame_bytes, std::memory_order_relaxed);
  last_lsn_.store(lsn->value, std::memory_order_release);
  const bool wake = std::exchange(sleeping_, false) || timed_;
  lock.unlock();
  if (wake) work_.notify_one();
  return lsn;
}

void AppendQueue::Take(std::vector<WriteRecord>& out) {
  const std::lock_guard lock(mutex_);
  queue_.swap(out);
  queued_bytes_ = 0;
}

bool AppendQueue::WaitForWork(std::chrono::microseconds patience,
                              std::chrono::microseconds longest_wait, int64_t enough_bytes) {
  std::unique_lock lock(mutex_);
  const auto any = [&] { return !queue_.empty() || closed_ || !error_.ok(); };
  const auto urgent = [&] { return closed_ || flushing_ > 0 || !error_.ok(); };
  timed_ = longest_wait.count() > 0;
  if (!any()) {
    sleeping_ = true;
    const bool came = clock_.WaitUntil(lock, work_, clock_.Now() + patience, any);
    sleeping_ = false;
    if (!came) return false;
  }
  if (!timed_ || queue_.empty() || urgent()) return true;
  clock_.WaitUntil(lock, work_, first_at_ + longest_wait,
                   [&] { return urgent() || queued_bytes_ >= enough_bytes; });
  return true;
}

void AppendQueue::WaitForRoom(std::chrono::microseconds pause) {
  std::unique_lock lock(mutex_);
  clock_.WaitUntil(lock, work_, clock_.Now() + pause, [&] { return closed_ || !error_.ok(); });
}

void AppendQueue::SetDurable(Lsn lsn, int64_t frame_bytes) {
  pending_bytes_.fetch_sub(frame_bytes, std::memory_order_relaxed);
  durable_lsn_.store(lsn.value, std::memory_order_release);
}

void AppendQueue::WakeWaiters(Lsn lsn) {
  {
    const std::lock_guard lock(mutex_);
    reported_ = lsn;
    if (flushing_ == 0) return;
  }
  durable_.notify_all();
}

void AppendQueue::Fail(const Status& error) {
  {
    const std::lock_guard lock(mutex_);
    if (error_.ok()) error_ = error;
  }
  work_.notify_all();
  durable_.notify_all();
}

void AppendQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  work_.notify_all();
}

Status AppendQueue::WaitDurable() {
  std::unique_lock lock(mutex_);
  const Lsn target = last_lsn();
  ++flushing_;
  work_.notify_all();
  durable_.wait(lock, [&] { return reported_ >= target || !error_.ok(); });
  --flushing_;
  return reported_ >= target ? Status::OK() : error_;
}

bool AppendQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Status AppendQueue::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

bool AppendQueue::empty() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty();
}

}  // namespace arka::wal

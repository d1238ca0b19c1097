#include "outbox.h"

#include "status.h"

#include <algorithm>
#include <utility>

#include <arrow/util/byte_size.h>
#include <arrow/util/thread_pool.h>

namespace arka::client {

using arrow::Result;
using arrow::Status;

namespace {

// What a column of a batch takes beside its values: the array, its data, the buffers' headers.
constexpr int64_t kColumnOverheadBytes = 512;

}  // namespace

int64_t BatchBytes(const arrow::RecordBatch& batch) {
  const auto referenced = arrow::util::ReferencedBufferSize(batch);
  const int64_t values =
      referenced.ok() ? *referenced : arrow::util::TotalBufferSize(batch);  // of a new type
  return values + (batch.num_columns() + 1) * kColumnOverheadBytes;
}

Outbox::Outbox(Ledger ledger, OutboxOptions options)
    : ledger_(std::move(ledger)), options_(std::move(options)) {}

Deadline Outbox::Until(std::optional<std::chrono::milliseconds> timeout) const {
  return After(timeout.value_or(options_.deadline));
}

bool Outbox::HasRoom(int64_t bytes) const {
  return ledger_.kept_bytes() + bytes <= options_.budget_bytes || ledger_.kept().empty();
}

Status Outbox::Refusal() const {
  if (ended_) return why_;
  if (closing_) return Failure(Code::kFailedPrecondition, "the stream is closed");
  return Status::OK();
}

Result<std::shared_ptr<WriteRecord>> Outbox::Put(std::shared_ptr<arrow::RecordBatch> batch,
                                                 std::optional<Deadline> until) {
  const int64_t bytes = BatchBytes(*batch);
  std::unique_lock lock(mutex_);
  if (!options_.schema) options_.schema = batch->schema();
  if (batch->schema() != options_.schema && !batch->schema()->Equals(*options_.schema)) {
    return Failure(Code::kInvalidArgument, "the batch has another schema than the stream:\n",
                   batch->schema()->ToString(), "\ninstead of\n", options_.schema->ToString());
  }
  if (until) ARROW_RETURN_NOT_OK(AwaitRoom(lock, bytes, *until));
  ARROW_RETURN_NOT_OK(Refusal());
  if (!HasRoom(bytes)) {
    return Failure(Code::kResourceExhausted, "no room for ", bytes,
                   " bytes: ", ledger_.kept_bytes(), " of ", options_.budget_bytes,
                   " wait for the server");
  }
  auto record = ledger_.Add(std::move(batch), bytes, std::chrono::steady_clock::now());
  if (courier_waits_) work_.notify_one();
  return record;
}

Status Outbox::AwaitRoom(const arrow::RecordBatch& batch, Deadline until) {
  std::unique_lock lock(mutex_);
  return AwaitRoom(lock, BatchBytes(batch), until);
}

Status Outbox::AwaitRoom(std::unique_lock<std::mutex>& lock, int64_t bytes, Deadline until) {
  room_.wait_until(lock, until, [&] { return closing_ || HasRoom(bytes); });
  ARROW_RETURN_NOT_OK(Refusal());
  if (HasRoom(bytes)) return Status::OK();
  return Failure(Code::kDeadlineExceeded, "no room for ", bytes,
                 " bytes in time: ", ledger_.kept_bytes(), " of ", options_.budget_bytes,
                 " wait for the server");
}

std::shared_ptr<arrow::Schema> Outbox::schema() const {
  const std::lock_guard lock(mutex_);
  return options_.schema;
}

Status Outbox::Wait(int64_t number, Tier level, Deadline until) {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return ledger_.reached(level) >= number || ended_; };
  if (!over()) {
    ++waiting_;
    if (courier_waits_) work_.notify_one();
    progress_.wait_until(lock, until, over);
    --waiting_;
  }
  if (ledger_.reached(level) >= number) return Status::OK();
  if (ended_) return why_;
  return Failure(Code::kDeadlineExceeded, ledger_.reached(level), " of ", ledger_.last(),
                 " writes have reached ", TierName(level), " in time");
}

arrow::Future<Lsn> Outbox::When(std::shared_ptr<WriteRecord> record, Tier level) {
  const std::lock_guard lock(mutex_);
  if (ledger_.reached(level) >= record->number) {
    return arrow::Future<Lsn>::MakeFinished(Lsn{record->lsn});
  }
  if (ended_) return arrow::Future<Lsn>::MakeFinished(why_);
  auto future = arrow::Future<Lsn>::Make();
  const int64_t number = record->number;
  waiters_[IndexOf(level)].emplace(number, Waiter{std::move(record), future});
  if (courier_waits_) work_.notify_one();
  return future;
}

// Those whose writes have the level by now.
std::vector<Outbox::Waiter> Outbox::TakeDone() {
  std::vector<Waiter> done;
  for (const Tier level : kAllTiers) {
    Waiters& waiters = waiters_[IndexOf(level)];
    const auto end = waiters.upper_bound(ledger_.reached(level));
    for (auto at = waiters.begin(); at != end; ++at) done.push_back(std::move(at->second));
    waiters.erase(waiters.begin(), end);
  }
  return done;
}

// Whatever hangs on a future may wait for the stream, or destroy it: it has a thread of its own.
void Outbox::Complete(std::vector<Waiter> waiters, const Status& how) {
  if (waiters.empty()) return;
  auto complete = [waiters = std::move(waiters), how]() mutable {
    for (Waiter& waiter : waiters) {
      waiter.future.MarkFinished(how.ok() ? Result<Lsn>(Lsn{waiter.record->lsn}) : how);
    }
  };
  const Status spawned = arrow::internal::GetCpuThreadPool()->Spawn(complete);
  if (!spawned.ok()) complete();  // at the process's end
}

Result<int64_t> Outbox::NumberOf(Lsn lsn) const {
  const std::lock_guard lock(mutex_);
  if (lsn <= kNoLsn || (ledger_.kept().empty() && lsn > ledger_.reached_lsn(Tier::kMemory))) {
    return Failure(Code::kInvalidArgument, "LSN ", lsn, " is none of this stream's");
  }
  return ledger_.NumberOf(lsn);
}

std::deque<Ack> Outbox::TakeAcks() {
  std::unique_lock lock(mutex_);
  heard_.wait(lock, [&] { return !acks_.empty() || ended_; });
  return std::exchange(acks_, {});
}

std::vector<std::shared_ptr<arrow::RecordBatch>> Outbox::Pending() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (const KeptWrite& write : ledger_.kept()) batches.push_back(write.batch);
  return batches;
}

Watermarks Outbox::watermarks() const {
  const std::lock_guard lock(mutex_);
  return watermarks_;
}

void Outbox::Close() {
  const std::lock_guard lock(mutex_);
  closing_ = true;
  room_.notify_all();
}

void Outbox::Finish() {
  const std::lock_guard lock(mutex_);
  closing_ = finishing_ = true;
  work_.notify_all();
}

void Outbox::Abort() {
  const std::lock_guard lock(mutex_);
  closing_ = aborted_ = true;
  work_.notify_all();
  room_.notify_all();
}

void Outbox::End(Status why) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    closing_ = ended_ = true;
    why_ = why;
    work_.notify_all();
    room_.notify_all();
    progress_.notify_all();
    heard_.notify_all();
    for (Waiters& of_level : waiters_) {
      for (auto& [number, waiter] : of_level) waiters.push_back(std::move(waiter));
      of_level.clear();
    }
  }
  Complete(std::move(waiters), why);
}

bool Outbox::WaitEnd(Deadline until) {
  std::unique_lock lock(mutex_);
  return progress_.wait_until(lock, until, [&] { return ended_; });
}

bool Outbox::IsNeeded() const {
  const bool listened = options_.keep_acks && ledger_.reached(Tier::kCommitted) < ledger_.last();
  const bool awaited = std::ranges::any_of(waiters_, [](const Waiters& of) { return !of.empty(); });
  return !ledger_.kept().empty() || waiting_ > 0 || awaited || listened;
}

Outbox::Work Outbox::AwaitWork(bool wanted, bool* waited) {
  std::unique_lock lock(mutex_);
  *waited = false;
  while (true) {
    if (aborted_ || (finishing_ && ledger_.kept().empty())) return Work::kEnd;
    if ((wanted || IsNeeded()) && options_.schema) return Work::kConnect;
    *waited = courier_waits_ = true;
    work_.wait(lock);
    courier_waits_ = false;
  }
}

void Outbox::Pause(std::chrono::milliseconds delay) {
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, delay, [&] { return aborted_; });
}

void Outbox::BeginConnection() {
  const std::lock_guard lock(mutex_);
  ledger_.Begin();
  connection_ended_ = false;
}

std::optional<Outbox::Outgoing> Outbox::Next() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (connection_ended_ || aborted_) return {};
    if (ledger_.HasDue()) break;
    if (finishing_) return {};
    courier_waits_ = true;
    work_.wait(lock);
    courier_waits_ = false;
  }
  const KeptWrite& write = ledger_.Send();
  return Outgoing{write.batch, ledger_.SeqOf(write.record->number)};
}

void Outbox::EndConnection() {
  const std::lock_guard lock(mutex_);
  connection_ended_ = true;
  work_.notify_all();
}

bool Outbox::aborted() const {
  const std::lock_guard lock(mutex_);
  return aborted_;
}

bool Outbox::finishing() const {
  const std::lock_guard lock(mutex_);
  return finishing_;
}

Status Outbox::Take(const protocol::AckBatchContents& acks) {
  std::vector<Ack> told;
  std::unique_lock lock(mutex_);
  const int64_t kept_before = ledger_.kept_bytes();
  const Status taken = ledger_.Take(acks, options_.keep_acks ? &told : nullptr);
  if (!acks.watermarks.empty()) {
    const protocol::Watermarks& last = acks.watermarks.back();
    watermarks_ = {last.last_lsn, last.disk_lsn, last.s3_lsn, last.committed_lsn};
  }
  if (ledger_.kept_bytes() < kept_before) room_.notify_all();
  if (waiting_ > 0) progress_.notify_all();
  Tell(std::move(told));
  auto done = TakeDone();
  lock.unlock();
  Complete(std::move(done), Status::OK());
  return taken;
}

Status Outbox::Resume(const ProducerState& server, const std::string& producer) {
  std::vector<Ack> told;
  std::unique_lock lock(mutex_);
  const Status resumed = ledger_.Resume(server, producer, options_.keep_acks ? &told : nullptr);
  progress_.notify_all();
  Tell(std::move(told));
  auto done = TakeDone();
  lock.unlock();
  Complete(std::move(done), Status::OK());
  return resumed;
}

void Outbox::Tell(std::vector<Ack> told) {
  if (told.empty()) return;
  acks_.insert(acks_.end(), told.begin(), told.end());
  if (acks_.size() > kAcksKept) acks_.erase(acks_.begin(), acks_.end() - kAcksKept);
  heard_.notify_one();
}

}  // namespace arka::client

#include "arka_client/stream.h"

#include "status.h"
#include "stream_parts.h"

#include <algorithm>
#include <utility>

namespace arka::client {

using arrow::Result;
using arrow::Status;
using std::chrono::steady_clock;

namespace {

// For a peer to end a stream on which all is said, and for gRPC to let go of a call.
constexpr auto kEndPatience = std::chrono::seconds(6);

}  // namespace

Teller::Teller(std::shared_ptr<Outbox> outbox, std::function<void(const Ack&)> on_ack)
    : thread_([shared = shared_, outbox = std::move(outbox), on_ack = std::move(on_ack)] {
        for (auto acks = outbox->TakeAcks(); !acks.empty(); acks = outbox->TakeAcks()) {
          for (const Ack& ack : acks) {
            if (shared->leaving) break;
            on_ack(ack);
          }
        }
        const std::lock_guard lock(shared->mutex);
        shared->ended = true;
        shared->changed.notify_all();
      }) {}

void Teller::AwaitEnd(Deadline until) {
  if (!thread_.joinable() || thread_.get_id() == std::this_thread::get_id()) return;
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_until(lock, until, [&] { return shared_->ended; });
}

void Teller::Leave(Deadline until) {
  shared_->leaving = true;
  AwaitEnd(until);
  std::unique_lock lock(shared_->mutex);
  const bool over = shared_->ended;
  lock.unlock();
  if (over) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

WriteHandle::WriteHandle(std::shared_ptr<Outbox> outbox, std::shared_ptr<WriteRecord> record)
    : outbox_(std::move(outbox)), record_(std::move(record)) {}

Result<arka::Lsn> WriteHandle::Lsn(Timeout timeout) const { return Wait(Tier::kMemory, timeout); }

Result<arka::Lsn> WriteHandle::Wait(Tier level, Timeout timeout) const {
  ARROW_RETURN_NOT_OK(outbox_->Wait(record_->number, level, outbox_->Until(timeout)));
  return arka::Lsn{record_->lsn};
}

arrow::Future<arka::Lsn> WriteHandle::WaitAsync(Tier level) const {
  return outbox_->When(record_, level);
}

std::optional<arka::Lsn> WriteHandle::lsn() const {
  const int64_t lsn = record_->lsn;
  return lsn == 0 ? std::nullopt : std::optional(arka::Lsn{lsn});
}

std::optional<Tier> WriteHandle::level() const {
  return outbox_->With([&](const Ledger& ledger) { return ledger.LevelOf(record_->number); });
}

int64_t WriteHandle::seq() const { return record_->seq; }

Stream::Stream(std::unique_ptr<StreamParts> parts) : parts_(std::move(parts)) {}

Stream::~Stream() {
  Abort();
  const Deadline until = steady_clock::now() + kEndPatience;
  parts_->courier->Leave(until);
  parts_->outbox->End(Failure(Code::kFailedPrecondition, "the stream was aborted"));
  if (parts_->teller) parts_->teller->Leave(until);
}

Result<WriteHandle> Stream::Write(std::shared_ptr<arrow::RecordBatch> batch, Timeout timeout) {
  const auto& outbox = parts_->outbox;
  ARROW_ASSIGN_OR_RAISE(auto record, outbox->Put(std::move(batch), outbox->Until(timeout)));
  return WriteHandle(outbox, std::move(record));
}

Result<WriteHandle> Stream::TryWrite(std::shared_ptr<arrow::RecordBatch> batch) {
  ARROW_ASSIGN_OR_RAISE(auto record, parts_->outbox->Put(std::move(batch), std::nullopt));
  return WriteHandle(parts_->outbox, std::move(record));
}

Result<Lsn> Stream::WriteDurable(std::shared_ptr<arrow::RecordBatch> batch, Tier level,
                                 Timeout timeout) {
  const Deadline until = parts_->outbox->Until(timeout);
  ARROW_ASSIGN_OR_RAISE(const WriteHandle write, Write(std::move(batch), timeout));
  return write.Wait(level, Left(until));
}

Status Stream::WaitForDurability(Tier level, Timeout timeout) {
  return parts_->outbox->Wait(written(), level, parts_->outbox->Until(timeout));
}

Status Stream::WaitForDurability(Lsn lsn, Tier level, Timeout timeout) {
  ARROW_ASSIGN_OR_RAISE(const int64_t number, parts_->outbox->NumberOf(lsn));
  return parts_->outbox->Wait(number, level, parts_->outbox->Until(timeout));
}

Status Stream::Flush(Tier level, Timeout timeout) {
  const auto& outbox = parts_->outbox;
  const Deadline until = outbox->Until(timeout);
  const int64_t last = written();
  ARROW_RETURN_NOT_OK(outbox->Wait(last, std::min(level, Tier::kLocalDisk), until));
  if (reached(level) < last) {
    // The action speaks of what is in memory when it is called.
    ARROW_RETURN_NOT_OK(
        parts_->endpoint
            ->RetriedAction("flush", {{"table", parts_->table}, {"level", TierName(level)}}, until)
            .status());
  }
  return outbox->Wait(last, level, until);
}

const std::string& Stream::table() const { return parts_->table; }
const std::string& Stream::producer() const { return parts_->producer; }
const std::string& Stream::session() const { return parts_->session; }

int64_t Stream::next_seq() const {
  return parts_->outbox->With([](const Ledger& ledger) { return ledger.SeqOf(ledger.last() + 1); });
}

int64_t Stream::written() const {
  return parts_->outbox->With([](const Ledger& ledger) { return ledger.last(); });
}

int64_t Stream::reached(Tier level) const {
  return parts_->outbox->With([&](const Ledger& ledger) { return ledger.reached(level); });
}

Lag Stream::lag(Tier level) const {
  return parts_->outbox->With([&](const Ledger& ledger) {
    const auto oldest = ledger.OldestBelow(level);
    if (!oldest) return Lag{};
    return Lag{ledger.last() - ledger.reached(level), steady_clock::now() - *oldest};
  });
}

int64_t Stream::kept_bytes() const {
  return parts_->outbox->With([](const Ledger& ledger) { return ledger.kept_bytes(); });
}

std::vector<std::shared_ptr<arrow::RecordBatch>> Stream::pending() const {
  return parts_->outbox->Pending();
}

Watermarks Stream::watermarks() const { return parts_->outbox->watermarks(); }

Status Stream::Close(Tier level, Timeout timeout) {
  const auto& outbox = parts_->outbox;
  const Deadline until = outbox->Until(timeout);
  outbox->Close();
  const Status reached = outbox->Wait(written(), level, until);
  if (!reached.ok()) {
    Abort();
    return reached;
  }
  outbox->Finish();
  outbox->WaitEnd(std::min<Deadline>(until, steady_clock::now() + kEndPatience));
  Abort();  // all is said; it is only to be gone
  if (parts_->teller) parts_->teller->AwaitEnd(until);
  return Status::OK();
}

void Stream::Abort() { parts_->courier->Abort(); }

}  // namespace arka::client

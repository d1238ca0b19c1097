#include "courier.h"

#include "status.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "arka/protocol/write_headers.h"

namespace arka::client {

using arrow::Result;
using arrow::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// For a peer to end a stream on which all is said.
constexpr auto kEndPatience = std::chrono::seconds(5);
// Of the calls before a stream is opened again: they cannot be cancelled, and a stream that is
// destroyed waits a little longer than this (stream.cc).
constexpr milliseconds kAttemptTimeout = std::chrono::seconds(5);

}  // namespace

// A connection from its beginning to its end, and what became of it.
struct Courier::Attempt {
  std::shared_ptr<Connection> connection;
  std::atomic<bool> opened = false;
  Status read_end;  // of the reading thread; OK: the server's orderly end
  std::mutex mutex;
  std::condition_variable over;
  bool reading = true;
};

Courier::Courier(std::shared_ptr<Endpoint> endpoint, std::shared_ptr<Outbox> outbox,
                 CourierOptions options)
    : endpoint_(std::move(endpoint)), outbox_(std::move(outbox)), options_(std::move(options)) {}

void Courier::Start(const std::shared_ptr<Courier>& courier) {
  courier->thread_ = std::thread([courier] { courier->Run(); });
}

Status Courier::AwaitOpened(Deadline until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return opened_ || ended_; });
  if (opened_) return Status::OK();
  if (ended_) return end_;
  return Failure(Code::kDeadlineExceeded, "no connection in time");
}

void Courier::Abort() {
  outbox_->Abort();
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard lock(mutex_);
    connection = connection_;
  }
  if (connection) connection->Cancel();
}

void Courier::Leave(Deadline until) {
  if (!thread_.joinable()) return;
  std::unique_lock lock(mutex_);
  const bool over = changed_.wait_until(lock, until, [&] { return ended_; });
  lock.unlock();
  if (over) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void Courier::Run() {
  Status end = CarryUntilTheEnd();
  if (end.ok()) {
    end = Failure(Code::kFailedPrecondition,
                  outbox_->aborted() ? "the stream was aborted" : "the stream is closed");
  }
  outbox_->End(end);
  const std::lock_guard lock(mutex_);
  end_ = end;
  ended_ = true;
  changed_.notify_all();
}

// One connection after the other; returns what the stream failed with, OK where it was ended.
Status Courier::CarryUntilTheEnd() {
  Backoff backoff;
  steady_clock::time_point lost_at;
  bool lost = false, wanted = options_.at_once, waited = false;
  while (outbox_->AwaitWork(wanted, &waited) == Outbox::Work::kConnect) {
    if (waited) lost = false;  // nobody missed the connection until now
    const auto on_disk = [&] {
      return outbox_->With([](const Ledger& ledger) { return ledger.reached(Tier::kLocalDisk); });
    };
    const int64_t before = on_disk();
    Attempt attempt;
    const Status failed = Carry(attempt);
    if (failed.ok() || outbox_->aborted()) return Status::OK();
    if (!IsRetryable(failed)) return failed;
    if (attempt.opened) wanted = false;
    const auto now = steady_clock::now();
    const auto oldest =
        outbox_->With([](const Ledger& ledger) { return ledger.OldestBelow(Tier::kLocalDisk); });
    if (!lost || (attempt.opened && (!oldest || on_disk() > before))) {
      lost = true;
      lost_at = now;
      backoff = {};
    } else if (attempt.opened) {
      lost_at = std::max(lost_at, *oldest);  // the connection was there before that was written
    }
    if (now - lost_at >= options_.deadline) {
      const auto since = std::chrono::duration_cast<milliseconds>(now - lost_at);
      return Failure(Code::kDeadlineExceeded, "nothing has reached the server's disk for ",
                     since.count(), " ms; the last failure: ", CodeName(CodeOf(failed)), ": ",
                     failed.message());
    }
    outbox_->Pause(std::min(backoff.Next(), Left(lost_at + options_.deadline) + milliseconds(1)));
  }
  return Status::OK();
}

// The steps: ask where the server is with this producer; open a connection; send what is kept, then
// whatever comes, while another thread reads.
Status Courier::Carry(Attempt& attempt) {
  ARROW_RETURN_NOT_OK(FindPlace());
  if (outbox_->aborted()) return Status::OK();
  Connection::Headers headers = {
      {std::string(protocol::kProducerHeader), options_.producer},
      {std::string(protocol::kSessionHeader), options_.session},
      {std::string(protocol::kAckUntilHeader), std::string(TierName(Tier::kLocalDisk))},
      {std::string(protocol::kWatermarksHeader), "true"},
  };
  if (options_.epoch != 0) {
    headers.emplace_back(protocol::kProducerEpochHeader, std::to_string(options_.epoch));
  }
  ARROW_ASSIGN_OR_RAISE(attempt.connection,
                        Connection::Open(*endpoint_, options_.table, std::move(headers)));
  outbox_->BeginConnection();
  SetConnection(attempt.connection);
  if (outbox_->aborted()) attempt.connection->Cancel();  // it may have missed it
  const Status begun = attempt.connection->Begin(outbox_->schema());
  std::thread reader([&] { Read(attempt); });
  const Status sent = begun.ok() ? Send(attempt) : begun;
  bool silent = false;
  {
    std::unique_lock lock(attempt.mutex);
    silent = !attempt.over.wait_for(lock, kEndPatience, [&] { return !attempt.reading; });
  }
  if (silent) attempt.connection->Cancel();
  reader.join();
  SetConnection(nullptr);
  attempt.connection.reset();
  if (silent && !sent.ok()) {  // and the connection had nothing to do with it
    return Failure(Code::kInvalidArgument, "the batch cannot be sent: ", sent.message());
  }
  ARROW_RETURN_NOT_OK(attempt.read_end);
  if (outbox_->finishing()) return Status::OK();
  return Failure(Code::kUnavailable, "the server ended the stream");
}

Status Courier::FindPlace() {
  const int64_t sent_ever = outbox_->With([](const Ledger& ledger) { return ledger.sent_ever(); });
  if (sent_ever == 0) return Status::OK();  // a new producer, or one that Open() has asked for
  const auto answers = endpoint_->Action(
      "last_seq", {{"producer", options_.producer}, {"table", options_.table}}, AttemptTimeout());
  ProducerState server;  // of a table that is not there: nothing
  if (answers.ok()) {
    const nlohmann::json& answer = answers->front();
    const auto last_seq = NumberIn(answer, "last_seq");
    if (!last_seq) return Violation("last_seq answered ", answer.dump());
    server.last_seq = *last_seq;
    if (const auto lsn = NumberIn(answer, "forgotten_through"))
      server.forgotten_through = Lsn{*lsn};
  } else if (CodeOf(answers.status()) != Code::kNotFound) {
    return answers.status();
  }
  return outbox_->Resume(server, options_.producer);
}

// Where the connection has failed, why comes with the acks.
Status Courier::Send(Attempt& attempt) {
  while (auto write = outbox_->Next()) {
    ARROW_RETURN_NOT_OK(attempt.connection->Send(*write->batch, write->seq));
  }
  if (outbox_->finishing()) (void)attempt.connection->HalfClose();
  return Status::OK();
}

void Courier::Read(Attempt& attempt) {
  Status end = attempt.connection->AwaitOpened();
  if (end.ok()) {
    attempt.opened = true;
    const std::lock_guard lock(mutex_);
    opened_ = true;
    changed_.notify_all();
  }
  while (end.ok()) {
    auto acks = attempt.connection->Next();
    if (!acks.ok()) {
      end = acks.status();
    } else if (!*acks) {
      break;
    } else {
      end = outbox_->Take(**acks);
    }
  }
  attempt.connection->Cancel();  // a violation is no end by itself
  outbox_->EndConnection();
  const std::lock_guard lock(attempt.mutex);
  attempt.read_end = end;
  attempt.reading = false;
  attempt.over.notify_all();
}

void Courier::SetConnection(std::shared_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  connection_ = std::move(connection);
}

milliseconds Courier::AttemptTimeout() const {
  return std::min(kAttemptTimeout, options_.deadline);
}

}  // namespace arka::client

#include "arka_client/appender.h"

#include "arka_client/client.h"
#include "deadline.h"
#include "row_buffer.h"
#include "status.h"
#include "stream_parts.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace arka::client {

using arrow::Result;
using arrow::Status;
using std::chrono::steady_clock;

struct Appender::State {
  State(std::unique_ptr<Stream> stream, std::shared_ptr<Outbox> outbox,
        std::unique_ptr<RowBuffer> rows, const AppenderOptions& options)
      : stream(std::move(stream)),
        outbox(std::move(outbox)),
        rows(std::move(rows)),
        options(options) {}

  using Lock = std::unique_lock<std::mutex>;

  // The lock is held in all of these; HandOver() and those that call it let go of it to wait.
  bool full() const {
    return rows->torn() || (rows->rows() > 0 && (rows->rows() >= options.max_rows ||
                                                 rows->bytes() >= options.max_bytes));
  }
  Status MakeBatch();
  Status TryHandOver();
  Status HandOver(Lock& lock, Deadline until);
  Status WriteOut(Lock& lock, Deadline until);
  Status BeforeRow(Lock& lock);
  void AfterRow();
  void Run();

  const std::unique_ptr<Stream> stream;
  const std::shared_ptr<Outbox> outbox;  // the stream's
  std::mutex mutex;
  const std::unique_ptr<RowBuffer> rows;
  const AppenderOptions options;
  std::shared_ptr<arrow::RecordBatch> batch;  // made, and not yet handed to the stream
  steady_clock::time_point first_at;          // when the first of `rows` was taken
  std::condition_variable changed;
  bool closed = false;
  Status failed;          // of the stream, for good
  std::thread lingering;  // writes out what has waited for long enough
};

// Makes a batch of the rows unless there is one.
Status Appender::State::MakeBatch() {
  if (!failed.ok() || batch || (rows->rows() == 0 && !rows->torn())) return failed;
  failed = rows->Take().Value(&batch);
  return failed;
}

// Hands the next batch over; retryable RESOURCE_EXHAUSTED: there is no room, and the batch stays.
Status Appender::State::TryHandOver() {
  ARROW_RETURN_NOT_OK(MakeBatch());
  if (!batch) return Status::OK();
  const Status written = stream->TryWrite(batch).status();
  if (written.ok()) {
    batch.reset();
  } else if (CodeOf(written) != Code::kResourceExhausted || !IsRetryable(written)) {
    failed = written;
  }
  return written;
}

// Hands the next batch over, waiting for room, or has somebody else do so meanwhile.
Status Appender::State::HandOver(Lock& lock, Deadline until) {
  while (true) {
    const Status written = TryHandOver();
    if (written.ok() || !failed.ok()) return written;
    const auto mine = batch;
    lock.unlock();
    const Status room = outbox->AwaitRoom(*mine, until);
    lock.lock();
    if (batch != mine || !room.ok()) return room;
  }
}

Status Appender::State::WriteOut(Lock& lock, Deadline until) {
  while (batch || rows->rows() > 0) ARROW_RETURN_NOT_OK(HandOver(lock, until));
  return failed;
}

Status Appender::State::BeforeRow(Lock& lock) {
  const Deadline until = outbox->Until({});
  while (!closed && failed.ok() && full()) ARROW_RETURN_NOT_OK(HandOver(lock, until));
  return closed ? Failure(Code::kFailedPrecondition, "the appender is closed") : failed;
}

void Appender::State::AfterRow() {
  if (rows->rows() == 1) first_at = steady_clock::now();
  if (full()) (void)TryHandOver();
  if (batch || rows->rows() == 1) changed.notify_one();  // the rest is for the lingering thread
}

void Appender::State::Run() {
  Lock lock(mutex);
  while (!closed && failed.ok()) {
    if (!batch && rows->rows() == 0) {
      changed.wait(lock);
    } else if (batch || changed.wait_until(lock, first_at + Bounded(options.linger)) ==
                            std::cv_status::timeout) {
      (void)HandOver(lock, After(std::chrono::hours(1)));
    }
  }
}

Appender::Appender(std::unique_ptr<Stream> stream, std::shared_ptr<Outbox> outbox,
                   std::unique_ptr<RowBuffer> rows, const AppenderOptions& options)
    : state_(
          std::make_unique<State>(std::move(stream), std::move(outbox), std::move(rows), options)) {
  state_->lingering = std::thread([state = state_.get()] { state->Run(); });
}

Appender::~Appender() {
  state_->stream->Abort();  // nobody waits for room any longer
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->changed.notify_all();
  }
  state_->lingering.join();
}

Status Appender::Append(std::initializer_list<Cell> row) {
  return Append(std::span(row.begin(), row.size()));
}

Status Appender::Append(std::span<const Cell> row) {
  State::Lock lock(state_->mutex);
  ARROW_RETURN_NOT_OK(state_->BeforeRow(lock));
  ARROW_RETURN_NOT_OK(state_->rows->Add(row));
  state_->AfterRow();
  return Status::OK();
}

Status Appender::AppendNamed(std::initializer_list<std::pair<std::string_view, Cell>> row) {
  State::Lock lock(state_->mutex);
  ARROW_RETURN_NOT_OK(state_->BeforeRow(lock));
  ARROW_RETURN_NOT_OK(state_->rows->AddNamed(std::span(row.begin(), row.size())));
  state_->AfterRow();
  return Status::OK();
}

Status Appender::Flush(Tier level, Timeout timeout) {
  const Deadline until = state_->outbox->Until(timeout);
  {
    State::Lock lock(state_->mutex);
    ARROW_RETURN_NOT_OK(state_->WriteOut(lock, until));
  }
  return state_->stream->Flush(level, Left(until));
}

Status Appender::Close(Tier level, Timeout timeout) {
  const Deadline until = state_->outbox->Until(timeout);
  Status written;
  {
    State::Lock lock(state_->mutex);
    state_->closed = true;
    state_->changed.notify_all();
    written = state_->WriteOut(lock, until);
  }
  const Status closed = state_->stream->Close(level, Left(until));
  return written.ok() ? closed : written;
}

Stream& Appender::stream() { return *state_->stream; }

Result<std::unique_ptr<Appender>> Client::OpenAppender(const std::string& table,
                                                       AppenderOptions options) {
  if (!options.stream.schema) {
    ARROW_ASSIGN_OR_RAISE(options.stream.schema, GetSchema(table));
  }
  ARROW_ASSIGN_OR_RAISE(auto rows, RowBuffer::Make(options.stream.schema));
  ARROW_ASSIGN_OR_RAISE(auto stream, Open(table, options.stream));
  auto outbox = stream->parts_->outbox;
  return std::unique_ptr<Appender>(
      new Appender(std::move(stream), std::move(outbox), std::move(rows), options));
}

}  // namespace arka::client

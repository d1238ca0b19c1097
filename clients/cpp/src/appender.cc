#include "arka_client/appender.h"

#include "arka_client/client.h"
#include "endpoint.h"
#include "row_buffer.h"
#include "status.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace arka::client {

using arrow::Result;
using arrow::Status;
using std::chrono::steady_clock;

struct Appender::State {
  State(std::unique_ptr<Stream> stream, std::unique_ptr<RowBuffer> rows,
        const AppenderOptions& options)
      : stream(std::move(stream)), rows(std::move(rows)), options(options) {}

  // `full` and the following: the lock is held.
  bool full() const {
    return rows->rows() >= options.max_rows || rows->bytes() >= options.max_bytes;
  }
  Status MakeBatch();
  Status WriteOut(Timeout timeout);
  void TryWriteOut();
  Status BeforeRow();
  void AfterRow();
  void Run();

  const std::unique_ptr<Stream> stream;
  std::mutex mutex;
  const std::unique_ptr<RowBuffer> rows;
  const AppenderOptions options;
  std::shared_ptr<arrow::RecordBatch> batch;  // made, and not yet handed to the stream
  steady_clock::time_point first_at;          // when the first of `rows` was taken
  std::condition_variable changed;
  bool closed = false;
  std::thread lingering;  // writes out what has waited for long enough
};

Status Appender::State::MakeBatch() {
  if (batch || rows->rows() == 0) return Status::OK();
  return rows->Take().Value(&batch);
}

// Hands everything over, waiting for room.
Status Appender::State::WriteOut(Timeout timeout) {
  do {
    ARROW_RETURN_NOT_OK(MakeBatch());
    if (!batch) return Status::OK();
    ARROW_RETURN_NOT_OK(stream->Write(batch, timeout).status());
    batch.reset();
  } while (rows->rows() > 0);
  return Status::OK();
}

// Hands over what there is room for. What it leaves, the next call or the next moment takes on.
void Appender::State::TryWriteOut() {
  if (!MakeBatch().ok() || !batch) return;
  if (stream->TryWrite(batch).ok()) batch.reset();
}

Status Appender::State::BeforeRow() {
  if (closed) return Failure(Code::kFailedPrecondition, "the appender is closed");
  return full() ? WriteOut({}) : Status::OK();
}

void Appender::State::AfterRow() {
  if (full()) {
    TryWriteOut();
  } else if (rows->rows() == 1) {
    first_at = steady_clock::now();
    changed.notify_one();
  }
}

void Appender::State::Run() {
  std::unique_lock lock(mutex);
  while (!closed) {
    if (rows->rows() == 0 && !batch) {
      changed.wait(lock);
      continue;
    }
    if (changed.wait_until(lock, first_at + options.linger) == std::cv_status::no_timeout) continue;
    TryWriteOut();
    first_at = steady_clock::now();  // where there was no room
  }
}

Appender::Appender(std::unique_ptr<Stream> stream, std::unique_ptr<RowBuffer> rows,
                   const AppenderOptions& options)
    : state_(std::make_unique<State>(std::move(stream), std::move(rows), options)) {
  state_->lingering = std::thread([state = state_.get()] { state->Run(); });
}

Appender::~Appender() {
  state_->stream->Abort();  // who waits for room under the lock waits no longer
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
  const std::lock_guard lock(state_->mutex);
  ARROW_RETURN_NOT_OK(state_->BeforeRow());
  ARROW_RETURN_NOT_OK(state_->rows->Add(row));
  state_->AfterRow();
  return Status::OK();
}

Status Appender::AppendNamed(std::initializer_list<std::pair<std::string_view, Cell>> row) {
  const std::lock_guard lock(state_->mutex);
  ARROW_RETURN_NOT_OK(state_->BeforeRow());
  ARROW_RETURN_NOT_OK(state_->rows->AddNamed(std::span(row.begin(), row.size())));
  state_->AfterRow();
  return Status::OK();
}

Status Appender::Flush(Tier level, Timeout timeout) {
  const auto began = steady_clock::now();
  {
    const std::lock_guard lock(state_->mutex);
    ARROW_RETURN_NOT_OK(state_->WriteOut(timeout));
  }
  return state_->stream->Flush(level, timeout ? Timeout(Left(began + *timeout)) : timeout);
}

Status Appender::Close(Tier level, Timeout timeout) {
  const auto began = steady_clock::now();
  Status written;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    state_->changed.notify_all();
    written = state_->WriteOut(timeout);
  }
  const Status closed =
      state_->stream->Close(level, timeout ? Timeout(Left(began + *timeout)) : timeout);
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
  return std::unique_ptr<Appender>(new Appender(std::move(stream), std::move(rows), options));
}

}  // namespace arka::client

#include "arka/query/sql_result.h"

#include <algorithm>
#include <string>

#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <sys/socket.h>

#include "arka/sql/run_request.h"

namespace arka::query {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Status SendFrame(WorkerPool::Lease& worker, sql::FrameKind kind, std::string_view text,
                 const std::vector<std::shared_ptr<arrow::Buffer>>& body,
                 const std::vector<int>& files) {
  worker.set_reusable(false);
  const Status sent = worker.worker().channel().Send(kind, text, body, files);
  return !sent.ok() && CodeOf(sent) == ErrorCode::kUnavailable ? worker.worker().WhyItEnded()
                                                               : sent;
}

Result<sql::Frame> ReceiveFrame(WorkerPool::Lease& worker, sql::FrameKind wanted,
                                sql::FrameKind or_else, steady_clock::time_point deadline) {
  worker.set_reusable(false);
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  auto frame = worker.worker().channel().Receive(std::max(left, milliseconds(0)));
  if (!frame.ok()) {
    switch (CodeOf(frame.status())) {
      case ErrorCode::kTimedOut:
        return Error(ErrorCode::kTimedOut,
                     "the query took longer than query.timeout allows and was ended");
      case ErrorCode::kUnavailable:
        return worker.worker().WhyItEnded();
      default:
        return frame.status();
    }
  }
  if (frame->kind == wanted || frame->kind == or_else) return frame;
  if (frame->kind != sql::FrameKind::kError) {
    return Error(ErrorCode::kInternal, "a query worker answered what it was not asked");
  }
  // It has told what is wrong, and waits for the next query. What is left of one that took all
  // memory might not be enough for that.
  const Status failed = sql::ParseError(frame->text);
  worker.set_reusable(CodeOf(failed) != ErrorCode::kTooLarge);
  return failed;
}

Result<std::optional<SqlMessage>> SqlResult::Next() {
  if (done_) return std::nullopt;
  auto frame = ReceiveFrame(worker_, sql::FrameKind::kRows, sql::FrameKind::kDone, deadline_);
  if (cancelled_) return Error(ErrorCode::kCancelled, "the query was cancelled");
  ARROW_RETURN_NOT_OK(frame.status());
  if (frame->kind == sql::FrameKind::kDone) {
    done_ = true;
    worker_.set_reusable(true);
    return std::nullopt;
  }
  return SqlMessage{arrow::Buffer::FromString(std::move(frame->text)), std::move(frame->body)};
}

Result<std::shared_ptr<arrow::RecordBatch>> SqlResult::NextBatch() {
  ARROW_ASSIGN_OR_RAISE(auto message, Next());
  if (!message) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const auto ipc, arrow::ipc::Message::Open(std::move(message->metadata),
                                                                  std::move(message->body)));
  const arrow::ipc::DictionaryMemo no_dictionaries;
  return arrow::ipc::ReadRecordBatch(*ipc, schema_, &no_dictionaries,
                                     arrow::ipc::IpcReadOptions::Defaults());
}

SqlResult::~SqlResult() {
  if (cancelled_) worker_.set_reusable(false);
}

void SqlResult::Cancel() {
  if (done_) return;
  cancelled_ = true;
  // Both ends notice: the one here stops waiting, the worker ends.
  shutdown(worker_.worker().channel().socket(), SHUT_RDWR);
}

}  // namespace arka::query

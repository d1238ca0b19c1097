#include "arka/flight/write_stream.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "arka/flight/ack_output.h"
#include "arka/flight/put_output.h"
#include "arka/flight/status_mapping.h"

namespace arka::flight {
namespace {

constexpr std::chrono::milliseconds kWatermarkInterval{100};
constexpr std::chrono::milliseconds kErrorPatience{10'000};  // for acks, before an error goes out

std::unique_ptr<WriteOutput> MakeOutput(transport::ServerCall& call, WriteRpc rpc,
                                        const protocol::WriteHeaders& headers) {
  // They go out before the ack schema does.
  call.SendHeaders({{std::string(protocol::kSessionHeader), headers.session}});
  if (rpc == WriteRpc::kDoPut) return std::make_unique<PutOutput>(call, headers.ack_until);
  return std::make_unique<AckOutput>(call, headers);
}

}  // namespace

WriteStream::WriteStream(transport::ServerCall& call, acks::LoopContext& context,
                         const Clock& clock, acks::SessionRegistry& sessions, WriteRpc rpc,
                         protocol::WriteHeaders headers, const WriteStreamOptions& options)
    : call_(call),
      context_(context),
      clock_(clock),
      headers_(std::move(headers)),
      options_(options),
      id_(context.scheduler.Add(*this)),
      self_(std::make_shared<WriteStream*>(this)),
      session_(sessions.Join(call.caller().principal(), headers_.session)),
      input_(call, context, clock, options, rpc, headers_.producer, headers_.producer_epoch, *this),
      output_(MakeOutput(call, rpc, headers_)),
      finish_after_(headers_.ack_until),
      last_activity_(clock.Now()) {
  if (headers_.watermarks) SendWatermarksEvery100ms();
}

WriteStream::~WriteStream() {
  TellSession();
  context_.scheduler.Remove(id_);
}

void WriteStream::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (error_ || finished_) return;
  last_activity_ = clock_.Now();
  input_.Add(std::move(message));
}

void WriteStream::Wake(const ingest::Progress& progress) {
  if (finished_) return;
  Flush();
  if (progress.failed && !finished_) Finish(context_.engine.failure());
}

void WriteStream::OnAdmitted(const ingest::Admission& admission) {
  output_->Add(admission);
  // One that was committed long ago has no LSN of its own any more.
  if (!admission.committed_long_ago) {
    if (!unregistered_.empty() && unregistered_.back().last.next() == admission.lsn) {
      unregistered_.back().last = admission.lsn;
    } else {
      unregistered_.push_back({admission.lsn, admission.lsn});
    }
  }
  ScheduleFlush();
}

void WriteStream::TellSession() {
  if (unregistered_.empty()) return;
  session_->Add(*input_.target()->table, unregistered_);
  unregistered_.clear();
}

// The acks of every write before the bad message still go out, as far as they come soon.
void WriteStream::OnInputError(Status error) {
  if (error_ || finished_) return;
  error_ = std::move(error);
  finish_after_ = std::min(finish_after_, Tier::kObjectStorage);
  // Not for ever: a disk or a store that is away must not keep the error from the client.
  context_.loop.PostAfter(kErrorPatience, [weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr || (*alive)->finished_) return;
    (*alive)->Finish(*(*alive)->error_);
  });
  ScheduleFlush();
}

void WriteStream::ScheduleFlush() {
  if (flush_scheduled_ || finished_) return;
  flush_scheduled_ = true;
  context_.loop.Defer([weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr) return;
    (*alive)->flush_scheduled_ = false;
    (*alive)->Flush();
  });
}

void WriteStream::Flush() {
  if (finished_) return;
  TellSession();
  const ingest::Progress progress = context_.engine.progress();
  const ingest::Table* table = input_.target() == nullptr ? nullptr : input_.target()->table;
  if (output_->Flush(context_.engine, progress, table)) last_activity_ = clock_.Now();
  input_.OnAcksSent();
  if ((error_ || input_.done()) && output_->AllSentThrough(finish_after_)) {
    if (headers_.watermarks) output_->SendWatermarks(progress, /*though_unread=*/true);
    return Finish(error_.value_or(Status::OK()));
  }
  output_->Await(context_.scheduler, id_, finish_after_, table);
}

void WriteStream::SendWatermarksEvery100ms() {
  context_.loop.PostAfter(kWatermarkInterval, [weak = std::weak_ptr(self_)] {
    const auto alive = weak.lock();
    if (alive == nullptr || (*alive)->finished_) return;
    (*alive)->output_->SendWatermarks((*alive)->context_.engine.progress(),
                                      /*though_unread=*/false);
    (*alive)->SendWatermarksEvery100ms();
  });
}

void WriteStream::Shutdown() {
  if (error_ || finished_) return;
  if (input_.done()) return ScheduleFlush();
  error_ = Error(ErrorCode::kShuttingDown,
                 "the server is shutting down; what was acknowledged is safe, send the rest again "
                 "once it is back");
  finish_after_ = Tier::kCommitted;
  input_.Stop();
  ScheduleFlush();
}

void WriteStream::Finish(const Status& status) {
  finished_ = true;
  call_.Finish(ToCallStatus(status));
}

void WriteStream::EndIfIdle() {
  if (finished_ || clock_.Now() - last_activity_ < options_.idle_timeout) return;
  Finish(Error(ErrorCode::kUnavailable, "nothing moved on the stream for ",
               options_.idle_timeout.count() / 1000,
               " s (server.stream_idle_timeout); open another one when there is more"));
}

}  // namespace arka::flight

#include "arka/transport/grpc_stream.h"

#include <array>
#include <chrono>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "arka/transport/grpc_status.h"
#include "arka/transport/grpc_timeout.h"
#include "arka/transport/http2_session.h"
#include "arka/transport/refusal.h"

namespace arka::transport {
namespace {

constexpr size_t kConsumeBytes = 64 << 10;  // of the stream's window, given back at once

std::string_view FieldOr(const RequestHead& head, std::string_view name, std::string_view other) {
  return Find(head.fields, name).value_or(other);
}

}  // namespace

GrpcStream::GrpcStream(Http2Session& session, int32_t id)
    : Http2Stream(session, id),
      deframer_(session.connection().context().server.options.max_message_bytes,
                session.connection().context().server.budget) {
  session.connection().context().server.calls.fetch_add(1, std::memory_order_relaxed);
}

GrpcStream::~GrpcStream() {
  handler_.reset();
  ReleaseHeld(held_bytes_);
  ConnectionContext& context = session_.connection().context();
  context.loop.Cancel(deadline_timer_);
  context.server.calls.fetch_sub(1, std::memory_order_relaxed);
}

void GrpcStream::Start(RequestHead head) {
  if (auto refusal = Accept(std::move(head))) {
    Finish(std::move(*refusal));
    return;
  }
  handler_ = session_.connection().context().server.service.Start(*this);
}

/// Checks what the transport answers for; nothing where the call may go to the service.
std::optional<CallStatus> GrpcStream::Accept(RequestHead head) {
  method_ = std::move(head.target);
  const ServerOptions& options = session_.connection().context().server.options;
  if (head.too_large) {
    return Refusal(GrpcCode::kResourceExhausted,
                   "the request's metadata is over the limit of " +
                       std::to_string(options.max_header_bytes) + " bytes",
                   /*retryable=*/false);
  }
  const std::string_view encoding = FieldOr(head, "grpc-encoding", "identity");
  if (encoding != "identity") {
    CallStatus refusal =
        Refusal(GrpcCode::kUnimplemented,
                "grpc-encoding '" + std::string(encoding) +
                    "' is not supported, only 'identity'; Arrow's own IPC compression is",
                /*retryable=*/false);
    refusal.trailers.emplace_back("grpc-accept-encoding", "identity");
    return refusal;
  }
  if (const auto text = Find(head.fields, "grpc-timeout")) {
    const auto timeout = ParseGrpcTimeout(*text);
    if (!timeout) {
      return Refusal(GrpcCode::kInternal,
                     "malformed grpc-timeout '" + std::string(*text) +
                         "', expected at most 8 digits and one of H M S m u n",
                     /*retryable=*/false);
    }
    SetDeadline(*timeout);
  }
  if (!TakeMetadata(head, metadata_)) {
    return Refusal(GrpcCode::kInternal, "a '-bin' metadata value is not Base64",
                   /*retryable=*/false);
  }
  return std::nullopt;
}

void GrpcStream::SetDeadline(std::chrono::nanoseconds timeout) {
  EpollLoop& loop = session_.connection().context().loop;
  deadline_ = loop.now() + std::chrono::duration_cast<SteadyTime::duration>(timeout);
  // This stream cancels the timer when it goes, so `this` is alive when it runs.
  deadline_timer_ = loop.Schedule(*deadline_, [this] {
    DropOutput();
    End(Refusal(GrpcCode::kDeadlineExceeded, "the call's deadline has passed", /*retryable=*/true));
  });
}

std::string_view GrpcStream::peer() const { return session_.connection().peer(); }

const PeerCertificate* GrpcStream::peer_certificate() const {
  return session_.connection().peer_certificate().get();
}

EventLoop& GrpcStream::loop() { return session_.connection().context().loop; }

MutableByteSpan GrpcStream::read_target() {
  return finished_ ? MutableByteSpan{} : deframer_.target();
}

void GrpcStream::OnData(ByteSpan bytes) {
  unconsumed_bytes_ += bytes.size();
  while (!bytes.empty() && !finished_) {
    if (auto message = deframer_.Next(bytes)) {
      Deliver(std::move(message));
    } else if (deframer_.failure()) {
      End(*deframer_.failure());
    }
  }
  if (unconsumed_bytes_ >= kConsumeBytes) GiveBackWindow();
}

void GrpcStream::GiveBackWindow() {
  if (unconsumed_bytes_ == 0 || (paused_ && !finished_)) return;
  session_.ConsumeStream(id(), std::exchange(unconsumed_bytes_, 0));
}

void GrpcStream::Deliver(std::shared_ptr<arrow::Buffer> message) {
  if (!handler_) return;
  if (!paused_ && held_.empty()) {
    handler_->OnMessage(std::move(message));
    return;
  }
  if (Hold(std::move(message))) return;
  End(Refusal(GrpcCode::kResourceExhausted,
              "the server's memory for messages being received is used up; retry later",
              /*retryable=*/true));
}

bool GrpcStream::Hold(std::shared_ptr<arrow::Buffer> message) {
  const auto size = static_cast<size_t>(message->size());
  if (!session_.connection().context().server.budget.Charge(size)) return false;
  held_bytes_ += size;
  session_.AddHeld(size);
  held_.push_back(std::move(message));
  return true;
}

void GrpcStream::ReleaseHeld(size_t bytes) {
  session_.connection().context().server.budget.Release(bytes);
  session_.ReleaseHeld(bytes);
  held_bytes_ -= bytes;
}

void GrpcStream::ResumeReading() {
  if (!paused_) return;
  paused_ = false;
  // The handler may be in the middle of something: go on when it has returned.
  if (!held_.empty() || half_close_due_ || unconsumed_bytes_ > 0) session_.Revisit(id());
}

void GrpcStream::OnRevisit() {
  if (paused_ || finished_) return;
  DeliverHeld();
  GiveBackWindow();
}

void GrpcStream::DeliverHeld() {
  size_t next = 0;
  while (next < held_.size() && !paused_ && !finished_) {
    std::shared_ptr<arrow::Buffer> message = std::move(held_[next++]);
    ReleaseHeld(static_cast<size_t>(message->size()));
    handler_->OnMessage(std::move(message));
  }
  if (finished_) {
    held_.clear();
    return ReleaseHeld(held_bytes_);
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(next));
  if (held_.empty() && !paused_ && half_close_due_) {
    half_close_due_ = false;
    handler_->OnHalfClose();
  }
}

void GrpcStream::OnPeerEnd() {
  if (finished_) return;
  if (deframer_.mid_message()) {
    return End(
        Refusal(GrpcCode::kInternal, "the stream ended inside a message", /*retryable=*/false));
  }
  if (!handler_) return;
  if (paused_ || !held_.empty()) {
    half_close_due_ = true;
    return;
  }
  handler_->OnHalfClose();
}

void GrpcStream::SendHeaders(Metadata metadata) {
  if (headers_sent_ || finished_) return;
  headers_sent_ = true;
  metadata.insert(metadata.end(), added_headers().begin(), added_headers().end());
  session_.SubmitHeaders(*this, GrpcResponseHeaders(metadata), false);
}

void GrpcStream::Write(std::vector<std::shared_ptr<arrow::Buffer>> parts) {
  if (finished_) return;
  SendHeaders({});
  size_t size = 0;
  for (const auto& part : parts) size += part ? static_cast<size_t>(part->size()) : 0;
  const auto prefix = GrpcPrefix(static_cast<uint32_t>(size));
  output_.AppendCopy(prefix.data(), prefix.size());
  for (auto& part : parts) output_.Append(std::move(part));
  if (output_.size() >= kLowWaterBytes) above_low_water_ = true;
  Wake();
}

void GrpcStream::Finish(CallStatus status) {
  if (finished_) return;
  finished_ = true;
  held_.clear();
  ReleaseHeld(held_bytes_);
  Metadata trailers = GrpcTrailers(status);
  if (!headers_sent_) {
    headers_sent_ = true;
    Metadata fields = GrpcResponseHeaders(added_headers());
    for (auto& field : trailers) fields.push_back(std::move(field));
    session_.SubmitHeaders(*this, fields, true);
    return;
  }
  trailers_ = std::move(trailers);
  output_ended_ = true;
  Wake();
  GiveBackWindow();
}

void GrpcStream::End(const CallStatus& why) {
  if (finished_) return;
  if (handler_) handler_->OnCancelled(why);
  Finish(why);
}

void GrpcStream::OnClosed(const CallStatus& why) {
  if (std::exchange(finished_, true)) return;
  if (handler_) handler_->OnCancelled(why);
}

void GrpcStream::OnOutputTaken() {
  if (!above_low_water_ || output_.size() >= kLowWaterBytes) return;
  above_low_water_ = false;
  if (handler_ && !finished_) handler_->OnWritable();
}

}  // namespace arka::transport

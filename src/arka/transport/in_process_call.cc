#include "arka/transport/in_process_call.h"

#include <cstring>
#include <utility>

#include "arka/transport/grpc_stream.h"
#include "arka/transport/message_buffer.h"

namespace arka::transport {

void InProcessMailbox::PutHeaders(Metadata headers) {
  const std::lock_guard lock(mutex_);
  headers_ = std::move(headers);
  changed_.notify_all();
}

void InProcessMailbox::PutMessage(std::shared_ptr<arrow::Buffer> message) {
  const std::lock_guard lock(mutex_);
  messages_.push_back(std::move(message));
  changed_.notify_all();
}

void InProcessMailbox::PutStatus(CallStatus status) {
  const std::lock_guard lock(mutex_);
  if (!status_) status_ = std::move(status);
  changed_.notify_all();
}

std::optional<Metadata> InProcessMailbox::headers() const {
  const std::lock_guard lock(mutex_);
  return headers_;
}

std::optional<CallStatus> InProcessMailbox::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::shared_ptr<arrow::Buffer> InProcessMailbox::TakeLocked() {
  if (messages_.empty()) return nullptr;
  auto message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

std::shared_ptr<arrow::Buffer> InProcessMailbox::TakeMessage() {
  const std::lock_guard lock(mutex_);
  return TakeLocked();
}

std::shared_ptr<arrow::Buffer> InProcessMailbox::WaitForMessage(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return !messages_.empty() || status_; });
  return TakeLocked();
}

std::optional<CallStatus> InProcessMailbox::WaitForStatus(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return status_.has_value(); });
  return status_;
}

InProcessServerCall::InProcessServerCall(LocalLoop& loop, std::string method, Metadata metadata,
                                         std::optional<SteadyTime> deadline,
                                         std::shared_ptr<InProcessMailbox> mailbox)
    : loop_(loop),
      method_(std::move(method)),
      metadata_(std::move(metadata)),
      deadline_(deadline),
      mailbox_(std::move(mailbox)) {}

void InProcessServerCall::Start(Service& service, std::function<void()> on_over) {
  on_over_ = std::move(on_over);
  handler_ = service.Start(*this);
}

void InProcessServerCall::Receive(std::shared_ptr<arrow::Buffer> message) {
  if (final_status_) return;
  input_.push_back(std::move(message));
  Deliver();
}

void InProcessServerCall::ReceiveHalfClose() {
  if (final_status_) return;
  half_close_due_ = true;
  Deliver();
}

void InProcessServerCall::Deliver() {
  while (handler_ && !paused_ && !final_status_ && !input_.empty()) {
    auto message = std::move(input_.front());
    input_.pop_front();
    handler_->OnMessage(std::move(message));
  }
  if (handler_ && !paused_ && !final_status_ && input_.empty() &&
      std::exchange(half_close_due_, false)) {
    handler_->OnHalfClose();
  }
}

void InProcessServerCall::ResumeReading() {
  if (!std::exchange(paused_, false)) return;
  loop_.Post([self = shared_from_this()] { self->Deliver(); });
}

void InProcessServerCall::SendHeaders(Metadata metadata) {
  if (headers_sent_ || final_status_) return;
  headers_sent_ = true;
  metadata.insert(metadata.end(), added_headers().begin(), added_headers().end());
  mailbox_->PutHeaders(std::move(metadata));
}

void InProcessServerCall::Write(std::vector<std::shared_ptr<arrow::Buffer>> parts) {
  if (final_status_) return;
  SendHeaders({});
  size_t size = 0;
  for (const auto& part : parts) size += part ? static_cast<size_t>(part->size()) : 0;
  auto message = MessageBuffer::Allocate(size);
  uint8_t* to = message->begin();
  for (const auto& part : parts) {
    if (!part || part->size() == 0) continue;
    std::memcpy(to, part->data(), static_cast<size_t>(part->size()));
    to += part->size();
  }
  queued_bytes_ += size;
  if (queued_bytes_ >= kLowWaterBytes) above_low_water_ = true;
  output_.push_back(std::move(message));
  DrainOutput();
}

/// Takes the output later, as the real transport does: after the handler has returned.
void InProcessServerCall::DrainOutput() {
  if (held_ || std::exchange(drain_due_, true)) return;
  loop_.Post([self = shared_from_this()] {
    self->drain_due_ = false;
    if (self->held_) return;
    for (auto& message : std::exchange(self->output_, {})) {
      self->mailbox_->PutMessage(std::move(message));
    }
    self->queued_bytes_ = 0;
    if (self->final_status_) return self->Over();
    if (std::exchange(self->above_low_water_, false) && self->handler_) {
      self->handler_->OnWritable();
    }
  });
}

void InProcessServerCall::Finish(CallStatus status) {
  if (final_status_) return;
  final_status_ = std::move(status);
  input_.clear();
  DrainOutput();
}

void InProcessServerCall::End(const CallStatus& why) {
  if (!final_status_) {
    if (handler_) handler_->OnCancelled(why);
    final_status_ = why;
  }
  output_.clear();
  Over();
}

void InProcessServerCall::SetHeld(bool held) {
  held_ = held;
  if (!held && (!output_.empty() || final_status_)) DrainOutput();
}

void InProcessServerCall::Over() {
  if (!on_over_) return;
  const auto self = shared_from_this();
  handler_.reset();
  mailbox_->PutStatus(*final_status_);
  std::exchange(on_over_, {})();
}

}  // namespace arka::transport

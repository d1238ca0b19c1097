#include "arka/transport/grpc_framing.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "arka/transport/refusal.h"

namespace arka::transport {

std::array<uint8_t, kGrpcPrefixBytes> GrpcPrefix(uint32_t size_bytes) {
  return {0, static_cast<uint8_t>(size_bytes >> 24), static_cast<uint8_t>(size_bytes >> 16),
          static_cast<uint8_t>(size_bytes >> 8), static_cast<uint8_t>(size_bytes)};
}

std::shared_ptr<arrow::Buffer> GrpcDeframer::Next(ByteSpan& bytes) {
  if (failure_) return nullptr;
  if (!message_) {
    const size_t taken = std::min(bytes.size(), kGrpcPrefixBytes - prefix_size_);
    std::memcpy(prefix_.data() + prefix_size_, bytes.data(), taken);
    prefix_size_ += taken;
    bytes = bytes.subspan(taken);
    if (prefix_size_ < kGrpcPrefixBytes) return nullptr;
    BeginMessage();
    if (failure_) return nullptr;
  }
  const size_t size = static_cast<size_t>(message_->size());
  const size_t taken = std::min(bytes.size(), size - filled_);
  uint8_t* to = message_->begin() + filled_;
  if (filled_ + taken < size) {
    if (!budget_.Charge(taken)) {
      Fail(GrpcCode::kResourceExhausted,
           "the server's memory for messages being received (" + std::to_string(budget_.limit()) +
               " bytes) is used up; retry later",
           /*retryable=*/true);
      return nullptr;
    }
    charged_ += taken;
  }
  if (taken > 0 && static_cast<const void*>(bytes.data()) != to) {
    std::memcpy(to, bytes.data(), taken);
  }
  filled_ += taken;
  bytes = bytes.subspan(taken);
  if (filled_ < size) return nullptr;
  std::shared_ptr<arrow::Buffer> whole = std::move(message_);
  DropPartial();
  return whole;
}

MutableByteSpan GrpcDeframer::target() const {
  if (!message_) return {};
  return {reinterpret_cast<std::byte*>(message_->begin() + filled_),
          static_cast<size_t>(message_->size()) - filled_};
}

void GrpcDeframer::BeginMessage() {
  if (prefix_[0] == 1) {
    return Fail(GrpcCode::kInternal,
                "a message is flagged as compressed, but the call has no grpc-encoding",
                /*retryable=*/false);
  }
  if (prefix_[0] != 0) {
    return Fail(GrpcCode::kInternal,
                "a message starts with flag byte " + std::to_string(prefix_[0]) + ", expected 0",
                /*retryable=*/false);
  }
  const size_t size = size_t{prefix_[1]} << 24 | size_t{prefix_[2]} << 16 |
                      size_t{prefix_[3]} << 8 | size_t{prefix_[4]};
  if (size > max_message_bytes_) {
    return Fail(GrpcCode::kResourceExhausted,
                "a message of " + std::to_string(size) + " bytes is over the limit of " +
                    std::to_string(max_message_bytes_) +
                    " bytes (server.max_batch_bytes): send smaller batches",
                /*retryable=*/false);
  }
  message_ = MessageBuffer::Allocate(size);
  if (!message_) {
    Fail(GrpcCode::kResourceExhausted,
         "no memory for a message of " + std::to_string(size) + " bytes; retry later",
         /*retryable=*/true);
  }
}

void GrpcDeframer::Fail(GrpcCode code, std::string message, bool retryable) {
  failure_ = Refusal(code, std::move(message), retryable);
  DropPartial();
}

void GrpcDeframer::DropPartial() {
  if (charged_ > 0) budget_.Release(charged_);
  charged_ = 0;
  message_.reset();
  filled_ = 0;
  prefix_size_ = 0;
}

}  // namespace arka::transport

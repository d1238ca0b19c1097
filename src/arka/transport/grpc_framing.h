// gRPC's message framing: a flag byte, a 4-byte big-endian length, the message; and again.
//
// GrpcDeframer is the pure receiving half: bytes in, in any pieces, whole messages out. A piece
// that was read from the socket straight into target() is not copied again. Belongs to one stream;
// not thread-safe. After a failure it takes nothing more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "arka/io/fs.h"
#include "arka/transport/call.h"
#include "arka/transport/message_budget.h"
#include "arka/transport/message_buffer.h"

namespace arka::transport {

inline constexpr size_t kGrpcPrefixBytes = 5;

/// The prefix of an uncompressed message of `size_bytes`.
std::array<uint8_t, kGrpcPrefixBytes> GrpcPrefix(uint32_t size_bytes);

class GrpcDeframer {
 public:
  GrpcDeframer(size_t max_message_bytes, MessageBudget& budget)
      : max_message_bytes_(max_message_bytes), budget_(budget) {}
  ~GrpcDeframer() { DropPartial(); }
  GrpcDeframer(const GrpcDeframer&) = delete;
  GrpcDeframer& operator=(const GrpcDeframer&) = delete;

  /// Takes bytes off the front of `bytes`, at most to the end of one message, and answers that
  /// message; null where it needs more bytes or has failed.
  std::shared_ptr<arrow::Buffer> Next(ByteSpan& bytes);

  /// Where the rest of the current message goes; empty between messages and inside a prefix.
  MutableByteSpan target() const;

  /// Whether the stream would be cut inside a message if it ended here.
  bool mid_message() const { return prefix_size_ > 0; }

  /// How the call must end, once a prefix was refused or the budget is used up.
  const std::optional<CallStatus>& failure() const { return failure_; }

 private:
  void BeginMessage();
  void Fail(GrpcCode code, std::string message, bool retryable);
  void DropPartial();

  const size_t max_message_bytes_;
  MessageBudget& budget_;
  std::array<uint8_t, kGrpcPrefixBytes> prefix_{};
  size_t prefix_size_ = 0;
  std::shared_ptr<MessageBuffer> message_;
  size_t filled_ = 0;   // bytes of message_ that have arrived
  size_t charged_ = 0;  // of those, how many the budget knows
  std::optional<CallStatus> failure_;
};

}  // namespace arka::transport

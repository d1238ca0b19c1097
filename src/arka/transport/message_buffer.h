// One received message: a single allocation whose END is 64-byte aligned.
//
// The body of a FlightData comes last in the message and is a multiple of 8 bytes long, so with an
// aligned end it lies on Arrow's 8-byte grid and is used in place. The allocation is made in full
// when the length is known, but untouched pages cost no memory until their bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <arrow/buffer.h>

namespace arka::transport {

class MessageBuffer final : public arrow::Buffer {
 public:
  /// Null where the memory cannot be had.
  static std::shared_ptr<MessageBuffer> Allocate(size_t size_bytes);

  MessageBuffer(uint8_t* base, uint8_t* begin, size_t size_bytes);
  ~MessageBuffer() override;

  /// For the one who fills it, until it is handed on.
  uint8_t* begin() { return begin_; }

 private:
  uint8_t* const base_;
  uint8_t* const begin_;
};

}  // namespace arka::transport

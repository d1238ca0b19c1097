#include "arka/transport/message_buffer.h"

#include <cstdlib>

namespace arka::transport {
namespace {

constexpr size_t kAlignment = 64;

}  // namespace

std::shared_ptr<MessageBuffer> MessageBuffer::Allocate(size_t size_bytes) {
  auto* base = static_cast<uint8_t*>(std::malloc(size_bytes + kAlignment));
  if (base == nullptr) return nullptr;
  const size_t past_end = (reinterpret_cast<uintptr_t>(base) + size_bytes) % kAlignment;
  return std::make_shared<MessageBuffer>(base, base + (kAlignment - past_end) % kAlignment,
                                         size_bytes);
}

MessageBuffer::MessageBuffer(uint8_t* base, uint8_t* begin, size_t size_bytes)
    : Buffer(begin, static_cast<int64_t>(size_bytes)), base_(base), begin_(begin) {}

MessageBuffer::~MessageBuffer() { std::free(base_); }

}  // namespace arka::transport

#include "arka/wal/crc32c.h"

#include <algorithm>

#include <isa-l/crc.h>

namespace arka::wal {

uint32_t ExtendCrc32c(uint32_t crc, ByteSpan bytes) {
  constexpr size_t kMaxCall = size_t{1} << 30;  // ISA-L takes an int
  // ISA-L works on the raw register; the standard's value is its complement, in and out. It takes a
  // non-const pointer but only reads.
  uint32_t state = ~crc;
  while (!bytes.empty()) {
    const size_t length = std::min(bytes.size(), kMaxCall);
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(length), state);
    bytes = bytes.subspan(length);
  }
  return ~state;
}

}  // namespace arka::wal

// CRC32C (Castagnoli, RFC 3720 appendix B.4), the checksum of everything the log writes.
#pragma once

#include <cstdint>

#include "arka/io/fs.h"

namespace arka::wal {

/// The CRC32C of the bytes that `crc` was computed over, followed by `bytes`. Start from 0. For
/// equal `bytes` two different `crc` never give the same answer: what chaining relies on.
uint32_t ExtendCrc32c(uint32_t crc, ByteSpan bytes);

inline uint32_t Crc32c(ByteSpan bytes) { return ExtendCrc32c(0, bytes); }

}  // namespace arka::wal

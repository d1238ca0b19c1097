// The first 512 bytes of a segment: whose it is, its place, and where its predecessor ended.
//
// Written and synced before the segment gets its name, never changed after. Its CRC seeds the chain
// of the segment's frames, so frames of another segment, epoch or life of the file never fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/io/fs.h"

namespace arka::wal {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr int64_t kSegmentHeaderBytes = 512;
inline constexpr size_t kMaxNodeBytes = 255;

/// A place between two frames: everything before it, and the CRC that the next frame continues.
struct ChainPoint {
  int64_t segment = 0;  // its number; 0: before the first segment
  int64_t offset = 0;
  Lsn last_lsn = kNoLsn;  // the last one before it
  uint32_t crc = 0;

  bool operator==(const ChainPoint&) const = default;
};

struct SegmentHeader {
  std::string node;
  int64_t epoch = 0;   // one more at every start of the log
  int64_t number = 0;  // from 1, never given twice
  Lsn first_lsn;       // of the first write in it
  int64_t created_us = 0;
  ChainPoint predecessor;  // where the segment before ended
  uint32_t crc = 0;        // of this header; set by Encode and Decode
};

/// Whether an LSN read from a file can be one; arithmetic on it is safe then.
constexpr bool IsPlausible(Lsn lsn) { return lsn.value > 0 && lsn.value < int64_t{1} << 62; }

/// kUnimplemented: `where` ("wal: log/control") has a version that this Arka does not know.
Status UnknownVersion(uint32_t version, std::string_view where);

/// Writes `header` to the kSegmentHeaderBytes bytes of `to` and sets its crc.
void EncodeSegmentHeader(SegmentHeader& header, MutableByteSpan to);

/// kCorruption where the bytes are not a header, kUnimplemented where one of another version.
Result<SegmentHeader> DecodeSegmentHeader(ByteSpan bytes);

/// "00000000000000000042.log"
std::string SegmentFileName(int64_t number);
/// The number in such a name, or nothing for any other.
std::optional<int64_t> ParseSegmentFileName(std::string_view name);

}  // namespace arka::wal

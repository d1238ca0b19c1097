// Frames: the units that segments and log objects are made of (docs/spec/log.md, "Frames").
//
// A frame is a 64-byte header, for a write followed by producer, IPC header and body. Frames and
// bodies start at multiples of 64 bytes. Each frame's CRC continues its predecessor's, so a frame
// is valid only in its place. Pure functions over bytes; FrameBuffer (frame_buffer.h) writes
// frames.
#pragma once

#include <cstdint>
#include <optional>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/wal/log.h"

namespace arka::wal {

inline constexpr int64_t kFrameHeaderBytes = 64;
inline constexpr int64_t kMaxFrameBytes = int64_t{1} << 31;
inline constexpr int64_t kMaxProducerBytes = 4096;

constexpr int64_t AlignFrame(int64_t size) { return (size + 63) & ~int64_t{63}; }

enum class FrameType : uint8_t { kDefinition = 1, kWrite = 2, kGroup = 3 };

/// The first frame of what one sync makes durable. Written only after everything before it was
/// synced, so one that is found after damage proves that the damage is not a torn tail.
struct GroupHeader {
  Lsn first_lsn;        // of the writes that follow; one past last_lsn where there are none
  Lsn last_lsn;         //
  int64_t offset = 0;   // of this frame in its segment
  uint32_t writes = 0;  // in this group; 0: a mark, overwritten by the next group
  bool seals = false;   // a mark that no group will follow: the segment has a successor
};

/// Where the parts of a definition or write frame lie.
struct FrameLayout {
  FrameLayout(int64_t producer_bytes, int64_t header_bytes, int64_t body_bytes)
      : body_offset(AlignFrame(kFrameHeaderBytes + producer_bytes + header_bytes)),
        total(AlignFrame(body_offset + body_bytes)) {}
  int64_t body_offset;
  int64_t total;
};

/// A frame as it lies in memory; spans point into what was parsed.
struct Frame {
  FrameType type = FrameType::kGroup;
  int64_t offset = 0;  // in the bytes that were parsed
  int64_t length = 0;
  uint32_t crc = 0;  // what the next frame's continues
  DefinitionId definition;
  Lsn lsn;
  int64_t seq = 0;
  int64_t epoch = 0;
  int64_t timestamp_us = 0;
  ByteSpan producer;
  ByteSpan header;
  ByteSpan body;
  GroupHeader group;  // for kGroup
};

/// kTooLarge where `record` is past the format's limits.
Status CheckLimits(const WriteRecord& record);
/// The bytes it takes as a frame.
int64_t WriteFrameBytes(const WriteRecord& record);
int64_t DefinitionFrameBytes(const Definition& definition);

/// The frame at `offset` that continues `crc`, or nothing where the bytes there are not one.
/// kCorruption where the CRC holds but the content is none that this version writes.
Result<std::optional<Frame>> ParseFrame(ByteSpan bytes, int64_t offset, uint32_t crc);

/// What the header at `offset` says of its frame's length, unchecked; 0 where it cannot be one.
int64_t PeekFrameLength(ByteSpan bytes, int64_t offset);

/// The CRC that a group header carries besides its frame's, over its own fields only and seeded
/// by the segment's header, so that it can be told without knowing what came before.
uint32_t GroupAnchor(uint32_t segment_crc, const std::byte* frame);

/// Whether a group header of the segment with that header CRC stands at `offset`.
bool IsGroupAnchored(ByteSpan bytes, int64_t offset, uint32_t segment_crc);

namespace frame_field {
inline constexpr int64_t kCrc = 0;             // u32
inline constexpr int64_t kLength = 4;          // u32
inline constexpr int64_t kType = 8;            // u8
inline constexpr int64_t kFlags = 9;           // u8, group: bit 0 seals
inline constexpr int64_t kProducerBytes = 10;  // u16
inline constexpr int64_t kDefinition = 12;     // u32; group: writes
inline constexpr int64_t kLsn = 16;            // i64; group: first LSN
inline constexpr int64_t kSeq = 24;            // i64; group: last LSN
inline constexpr int64_t kTimestamp = 32;      // i64, microseconds; group: offset
inline constexpr int64_t kHeaderBytes = 40;    // u32
inline constexpr int64_t kBodyBytes = 44;      // u32
inline constexpr int64_t kAnchor = 48;         // u32, group only
inline constexpr int64_t kEpoch = 48;          // i64, write only
}  // namespace frame_field

}  // namespace arka::wal

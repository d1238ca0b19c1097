#include "arka/wal/segment_header.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "arka/base/check.h"
#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::wal {

namespace {

constexpr char kMagic[8] = {'A', 'R', 'K', 'A', '-', 'L', 'O', 'G'};
constexpr std::string_view kSuffix = ".log";
constexpr size_t kDigits = 20;

enum Field : int64_t {
  kVersion = 8,  // u32
  kCrc = 12,     // u32
  kNumber = 16,  // i64, as are the next six
  kEpoch = 24,
  kFirstLsn = 32,
  kCreated = 40,
  kPredecessorNumber = 48,
  kPredecessorLastLsn = 56,
  kPredecessorOffset = 64,
  kPredecessorCrc = 72,  // u32
  kNodeBytes = 76,       // u16
  kNode = 80,
};

// Over all of the header but the CRC itself.
uint32_t HeaderCrc(const std::byte* at) {
  const uint32_t crc = Crc32c(ByteSpan(at, kCrc));
  return ExtendCrc32c(crc, ByteSpan(at + kNumber, kSegmentHeaderBytes - kNumber));
}

}  // namespace

Status UnknownVersion(uint32_t version, std::string_view where) {
  return Error(ErrorCode::kUnimplemented, where, ": the log's format version is ", version,
               " and this Arka reads ", kFormatVersion,
               ": it was written by another release; start that one, nothing was changed");
}

void EncodeSegmentHeader(SegmentHeader& header, MutableByteSpan to) {
  ARKA_CHECK(to.size() == kSegmentHeaderBytes && header.node.size() <= kMaxNodeBytes);
  std::byte* at = to.data();
  std::memset(at, 0, to.size());
  std::memcpy(at, kMagic, sizeof(kMagic));
  StoreLittle(at + kVersion, kFormatVersion);
  StoreLittle(at + kNumber, header.number);
  StoreLittle(at + kEpoch, header.epoch);
  StoreLittle(at + kFirstLsn, header.first_lsn.value);
  StoreLittle(at + kCreated, header.created_us);
  StoreLittle(at + kPredecessorNumber, header.predecessor.segment);
  StoreLittle(at + kPredecessorLastLsn, header.predecessor.last_lsn.value);
  StoreLittle(at + kPredecessorOffset, header.predecessor.offset);
  StoreLittle(at + kPredecessorCrc, header.predecessor.crc);
  StoreLittle(at + kNodeBytes, static_cast<uint16_t>(header.node.size()));
  std::memcpy(at + kNode, header.node.data(), header.node.size());
  header.crc = HeaderCrc(at);
  StoreLittle(at + kCrc, header.crc);
}

Result<SegmentHeader> DecodeSegmentHeader(ByteSpan bytes) {
  if (bytes.size() < kSegmentHeaderBytes) {
    return Error(ErrorCode::kCorruption, "offset 0: only ", bytes.size(),
                 " bytes, no segment header");
  }
  const std::byte* at = bytes.data();
  if (std::memcmp(at, kMagic, sizeof(kMagic)) != 0) {
    return Error(ErrorCode::kCorruption, "offset 0: no segment header");
  }
  const auto version = LoadLittle<uint32_t>(at + kVersion);
  SegmentHeader header;
  header.crc = LoadLittle<uint32_t>(at + kCrc);
  const auto node_bytes = LoadLittle<uint16_t>(at + kNodeBytes);
  if (header.crc != HeaderCrc(at) || node_bytes > kMaxNodeBytes) {
    return Error(ErrorCode::kCorruption, "offset 0: the segment header fails its CRC");
  }
  if (version != kFormatVersion) {
    return UnknownVersion(version, "offset 0");
  }
  header.number = LoadLittle<int64_t>(at + kNumber);
  header.epoch = LoadLittle<int64_t>(at + kEpoch);
  header.first_lsn = Lsn{LoadLittle<int64_t>(at + kFirstLsn)};
  header.created_us = LoadLittle<int64_t>(at + kCreated);
  header.predecessor = {.segment = LoadLittle<int64_t>(at + kPredecessorNumber),
                        .offset = LoadLittle<int64_t>(at + kPredecessorOffset),
                        .last_lsn = Lsn{LoadLittle<int64_t>(at + kPredecessorLastLsn)},
                        .crc = LoadLittle<uint32_t>(at + kPredecessorCrc)};
  if (header.number < 1 || !IsPlausible(header.first_lsn)) {
    return Error(ErrorCode::kCorruption, "offset 0: a segment header of number ", header.number,
                 " and first LSN ", header.first_lsn);
  }
  header.node.assign(reinterpret_cast<const char*>(at + kNode), node_bytes);
  return header;
}

std::string SegmentFileName(int64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

std::optional<int64_t> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number);
  if (error != std::errc() || end != name.data() + kDigits || number <= 0) return std::nullopt;
  return number;
}

}  // namespace arka::wal

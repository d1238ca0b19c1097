#include "arka/wal/segment_header.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"

namespace arka::wal {
namespace {

SegmentHeader Example() {
  return {.node = "node-1",
          .epoch = 7,
          .number = 42,
          .first_lsn = Lsn{1500},
          .created_us = 1'700'000'000'000'000,
          .predecessor = {.segment = 41, .offset = 9984, .last_lsn = Lsn{1499}, .crc = 0xABCD},
          .crc = 0};
}

TEST(SegmentHeader, ComesBackAsItWentIn) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  SegmentHeader header = Example();
  EncodeSegmentHeader(header, bytes);
  const Result<SegmentHeader> decoded = DecodeSegmentHeader(bytes);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->node, header.node);
  EXPECT_EQ(decoded->epoch, header.epoch);
  EXPECT_EQ(decoded->number, header.number);
  EXPECT_EQ(decoded->first_lsn, header.first_lsn);
  EXPECT_EQ(decoded->created_us, header.created_us);
  EXPECT_EQ(decoded->predecessor, header.predecessor);
  EXPECT_EQ(decoded->crc, header.crc);
}

TEST(SegmentHeader, FailsWithAnyFlippedBit) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  SegmentHeader header = Example();
  EncodeSegmentHeader(header, bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_THAT(DecodeSegmentHeader(bytes), FailsWith(ErrorCode::kCorruption)) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(SegmentHeader, WithAnLsnThatNoneCanBeIsRefused) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  for (const int64_t lsn :
       {std::numeric_limits<int64_t>::min(), int64_t{0}, std::numeric_limits<int64_t>::max()}) {
    SegmentHeader header = Example();
    header.first_lsn = Lsn{lsn};
    EncodeSegmentHeader(header, bytes);
    EXPECT_THAT(DecodeSegmentHeader(bytes), FailsWith(ErrorCode::kCorruption));
  }
}

TEST(SegmentHeader, SeedsAnotherChainInAnotherEpochOrPlace) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  SegmentHeader header = Example();
  EncodeSegmentHeader(header, bytes);
  SegmentHeader next_epoch = Example();
  ++next_epoch.epoch;
  EncodeSegmentHeader(next_epoch, bytes);
  SegmentHeader next_number = Example();
  ++next_number.number;
  EncodeSegmentHeader(next_number, bytes);
  EXPECT_NE(header.crc, next_epoch.crc);
  EXPECT_NE(header.crc, next_number.crc);
}

TEST(SegmentFileName, IsReadBackAndNothingElseIs) {
  EXPECT_EQ(SegmentFileName(42), "00000000000000000042.log");
  EXPECT_EQ(ParseSegmentFileName("00000000000000000042.log"), 42);
  for (const char* name :
       {"42.log", "control", "00000000000000000000.log", "fresh.tmp", "0000000000000000004x.log",
        "-0000000000000000042.log", "99999999999999999999.log", "spare-00000000000000000001"}) {
    EXPECT_FALSE(ParseSegmentFileName(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace arka::wal

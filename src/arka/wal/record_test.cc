#include "arka/wal/record.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"
#include "arka/wal/frame_buffer.h"
#include "arka/wal/log_harness_test.h"

namespace arka::wal {
namespace {

std::vector<std::byte> Joined(const FrameBuffer& frames) {
  std::vector<std::byte> bytes;
  for (const ByteSpan part : frames.parts()) bytes.insert(bytes.end(), part.begin(), part.end());
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), frames.size_bytes());
  return bytes;
}

TEST(Record, ComesBackAsItWentInAtAnySize) {
  for (const size_t size : {0, 1, 63, 64, 65, 4095, 4096, 4097, 100'000}) {
    WriteRecord record = RecordNamed(std::string(size, 'x'), 7);
    record.lsn = Lsn{1234};
    record.epoch = (int64_t{3} << 32) + 1;
    FrameBuffer frames;
    frames.Reset(99);
    frames.AddWrite(record);
    const std::vector<std::byte> bytes = Joined(frames);
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), WriteFrameBytes(record));
    const Result<std::optional<Frame>> parsed = ParseFrame(bytes, 0, 99);
    ASSERT_THAT(parsed, IsOk());
    ASSERT_TRUE(parsed->has_value());
    const Frame& frame = **parsed;
    EXPECT_EQ(frame.type, FrameType::kWrite);
    EXPECT_EQ(frame.crc, frames.crc());
    EXPECT_EQ(frame.definition, DefinitionId{7});
    EXPECT_EQ(frame.lsn, record.lsn);
    EXPECT_EQ(frame.seq, record.seq);
    EXPECT_EQ(frame.epoch, record.epoch);
    EXPECT_EQ(frame.timestamp_us, record.timestamp.time_since_epoch().count());
    EXPECT_EQ(TextOf(frame.producer), record.producer);
    EXPECT_EQ(TextOf(frame.header), record.header->ToString());
    EXPECT_EQ(TextOf(frame.body), record.body->ToString());
    EXPECT_EQ((frame.body.data() - bytes.data()) % 64, 0);
  }
}

TEST(Record, PointsAtALargeBodyAndCopiesASmallOne) {
  const WriteRecord large = RecordNamed(std::string(kCopiedBodyBytes + 1, 'x'));
  const WriteRecord small = RecordNamed("x");
  FrameBuffer frames;
  frames.Reset(0);
  for (int i = 0; i < 10; ++i) frames.AddWrite(small);
  EXPECT_EQ(frames.parts().size(), 1u);
  frames.AddWrite(large);
  const auto* body = reinterpret_cast<const std::byte*>(large.body->data());
  EXPECT_TRUE(std::any_of(frames.parts().begin(), frames.parts().end(),
                          [&](ByteSpan part) { return part.data() == body; }));
}

TEST(Record, IsNoneAfterAnotherPredecessor) {
  FrameBuffer frames;
  frames.Reset(1);
  frames.AddWrite(RecordNamed("x"));
  EXPECT_FALSE(ParseFrame(Joined(frames), 0, 2)->has_value());
}

TEST(Record, ChainsThroughAWholeBuffer) {
  const WriteRecord large = RecordNamed(std::string(9999, 'b'), 3);
  FrameBuffer frames;
  frames.Reset(5);
  frames.AddGroup({.first_lsn = {1}, .last_lsn = {2}, .offset = 0, .writes = 2}, 77);
  frames.AddDefinition(DefinitionNamed(3));
  frames.AddWrite(RecordNamed("a", 3));
  frames.AddWrite(large);
  const std::vector<std::byte> bytes = Joined(frames);
  std::vector<FrameType> types;
  uint32_t crc = 5;
  for (int64_t at = 0; at < frames.size_bytes();) {
    const std::optional<Frame> frame = *ParseFrame(bytes, at, crc);
    ASSERT_TRUE(frame.has_value()) << at;
    types.push_back(frame->type);
    at += frame->length;
    crc = frame->crc;
  }
  EXPECT_EQ(crc, frames.crc());
  EXPECT_EQ(types, (std::vector{FrameType::kGroup, FrameType::kDefinition, FrameType::kWrite,
                                FrameType::kWrite}));
  EXPECT_TRUE(IsGroupAnchored(bytes, 0, 77));
  EXPECT_FALSE(IsGroupAnchored(bytes, 0, 78));
  EXPECT_FALSE(IsGroupAnchored(bytes, 64, 77));
}

TEST(Record, OfAnUnknownTypeIsCorruptionNotATear) {
  FrameBuffer frames;
  frames.Reset(0);
  frames.AddDefinition(DefinitionNamed(1));
  std::vector<std::byte> bytes = Joined(frames);
  bytes[frame_field::kType] = std::byte{9};
  const uint32_t crc = ExtendCrc32c(0, ByteSpan(bytes).subspan(frame_field::kLength));
  StoreLittle(bytes.data(), crc);
  EXPECT_THAT(ParseFrame(bytes, 0, 0), FailsWith(ErrorCode::kCorruption));
}

TEST(Record, PastTheLimitsIsRefused) {
  WriteRecord record = RecordNamed("x");
  EXPECT_THAT(CheckLimits(record), IsOk());
  record.producer.assign(kMaxProducerBytes + 1, 'p');
  EXPECT_THAT(CheckLimits(record), FailsWith(ErrorCode::kTooLarge));
}

}  // namespace
}  // namespace arka::wal

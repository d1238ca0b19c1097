#include "arka/ingest/producer_checkpoint.h"

#include <gtest/gtest.h>

#include "arka/testing/matchers.h"
#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::ingest {
namespace {

using std::chrono::hours;

ByteSpan BytesOf(const std::string& text) { return std::as_bytes(std::span(text)); }

ProducerCheckpoint Sample() {
  return {Lsn{1010},
          {{"p",
            "uuid-1",
            hours(2),
            2,
            Lsn{1001},
            {{3, Lsn{1002}, 4}, {7, Lsn{1009}, 1}},
            (int64_t{5} << 32) + 1,
            6},
           {"quelle", "uuid-2", hours(3), 0, kNoLsn, {{1, Lsn{1010}, 1}}}},
          {{Lsn{1006}, Lsn{1008}}},
          hours(4),
          Lsn{1000}};
}

std::string Encoded(const ProducerCheckpoint& checkpoint) {
  return EncodeCheckpoint(checkpoint, "node-1")->ToString();
}

TEST(ProducerCheckpoint, ReadsWhatItWrote) {
  EXPECT_EQ(DecodeCheckpoint(BytesOf(Encoded(Sample()))).ValueOrDie(), Sample());
  EXPECT_EQ(DecodeCheckpoint(BytesOf(Encoded(Sample()) + "of an older one")).ValueOrDie(),
            Sample());
  EXPECT_EQ(DecodeCheckpoint(BytesOf(Encoded({}))).ValueOrDie(), ProducerCheckpoint{});
}

// docs/spec/log.md shows the same bytes: they must not change without a new version.
TEST(ProducerCheckpoint, WritesTheBytesOfTheSpecification) {
  const std::string bytes = Encoded(Sample());
  std::string hex;
  for (size_t at = 0; at < bytes.size(); ++at) {
    if ((at >= 64 && at < 304) || (at >= 320 && at < 512)) continue;
    char two[3];
    std::snprintf(two, sizeof(two), "%02x", static_cast<uint8_t>(bytes[at]));
    hex += two;
    if (at % 16 == 15) hex += '\n';
  }
  EXPECT_EQ(bytes.substr(64, 240), std::string(240, '\0'));
  EXPECT_EQ(bytes.substr(320, 192), std::string(192, '\0'));
  EXPECT_EQ(hex,
            "41524b412d505244020000000040f95a\n"
            "f203000000000000cb02000000000000\n"
            "02000000010000000600000000000000\n"
            "6e6f64652d3100000000000000000000\n"
            "00904e5a03000000e803000000000000\n"
            "0100060002000000004827ad01000000\n"
            "0200000000000000e903000000000000\n"
            "01000000050000000600000000000000\n"
            "70757569642d310300000000000000ea\n"
            "03000000000000040000000000000007\n"
            "00000000000000f10300000000000001\n"
            "00000000000000060006000100000000\n"
            "ecba83020000000000000000000000e7\n"
            "03000000000000000000000000000000\n"
            "000000000000007175656c6c65757569\n"
            "642d320100000000000000f203000000\n"
            "0000000100000000000000ee03000000\n"
            "000000f003000000000000");
}

// As version 1 was written, before there were epochs.
TEST(ProducerCheckpoint, ReadsVersion1) {
  std::string bytes = Encoded(Sample());
  for (const size_t at : {512 + 32, 512 + 32 + 7 + 48 + 32}) bytes.erase(at, 16);
  bytes[8] = 1;
  const auto put = [&](size_t at, auto value) {
    wal::StoreLittle(reinterpret_cast<std::byte*>(bytes.data() + at), value);
  };
  put(24, static_cast<int64_t>(bytes.size()));
  const ByteSpan all = BytesOf(bytes);
  put(12, wal::ExtendCrc32c(wal::Crc32c(all.first(12)), all.subspan(16)));
  ProducerCheckpoint expected = Sample();
  for (ProducerState& state : expected.producers) state.epoch = state.before_epoch = 0;
  EXPECT_EQ(DecodeCheckpoint(BytesOf(bytes)).ValueOrDie(), expected);
}

TEST(ProducerCheckpoint, RefusesEveryFlippedBitAndEveryCut) {
  const std::string bytes = Encoded(Sample());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_THAT(DecodeCheckpoint(BytesOf(flipped)), FailsWith(ErrorCode::kCorruption)) << bit;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_THAT(DecodeCheckpoint(BytesOf(bytes.substr(0, size))),
                FailsWith(ErrorCode::kCorruption));
  }
}

}  // namespace
}  // namespace arka::ingest

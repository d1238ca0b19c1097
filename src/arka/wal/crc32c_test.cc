#include "arka/wal/crc32c.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace arka::wal {
namespace {

ByteSpan BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(Crc32c({}), 0u);
  EXPECT_EQ(Crc32c(BytesOf("123456789")), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32)), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43u);
}

TEST(Crc32c, ExtendsOverAnySplit) {
  const std::string_view text = "the log holds what will be committed, and nothing else, in order";
  for (size_t split = 0; split <= text.size(); ++split) {
    const uint32_t first = Crc32c(BytesOf(text.substr(0, split)));
    EXPECT_EQ(ExtendCrc32c(first, BytesOf(text.substr(split))), Crc32c(BytesOf(text)));
  }
}

TEST(Crc32c, GivesAnotherAnswerAfterAnotherPredecessor) {
  EXPECT_NE(ExtendCrc32c(1, BytesOf("record")), ExtendCrc32c(2, BytesOf("record")));
}

}  // namespace
}  // namespace arka::wal

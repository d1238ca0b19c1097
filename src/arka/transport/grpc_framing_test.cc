#include "arka/transport/grpc_framing.h"

#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/transport/refusal.h"

namespace arka::transport {
namespace {

using testing::HasSubstr;

constexpr size_t kLimit = 1000;

std::string Framed(std::string_view message) {
  const auto prefix = GrpcPrefix(static_cast<uint32_t>(message.size()));
  return std::string(prefix.begin(), prefix.end()) + std::string(message);
}

ByteSpan Bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string Text(const arrow::Buffer& buffer) { return buffer.ToString(); }

std::vector<std::string> Feed(GrpcDeframer& deframer, std::string_view text) {
  std::vector<std::string> messages;
  ByteSpan bytes = Bytes(text);
  while (!bytes.empty() && !deframer.failure()) {
    if (auto message = deframer.Next(bytes)) messages.push_back(Text(*message));
  }
  return messages;
}

class GrpcDeframerTest : public testing::Test {
 protected:
  MessageBudget budget_{2000};
  GrpcDeframer deframer_{kLimit, budget_};
};

TEST_F(GrpcDeframerTest, FindsTheSameMessagesAtEverySplit) {
  const std::vector<std::string> expected = {"first", "", std::string(300, 'x'), "last"};
  std::string stream;
  for (const auto& message : expected) stream += Framed(message);
  for (size_t first = 0; first <= stream.size(); ++first) {
    for (const size_t second : {first, std::min(first + 3, stream.size()), stream.size()}) {
      GrpcDeframer deframer(kLimit, budget_);
      std::vector<std::string> messages;
      const std::string_view text = stream;
      for (const auto piece :
           {text.substr(0, first), text.substr(first, second - first), text.substr(second)}) {
        for (auto& message : Feed(deframer, piece)) messages.push_back(message);
      }
      ASSERT_EQ(messages, expected) << "split at " << first << ", " << second;
      ASSERT_FALSE(deframer.mid_message());
      ASSERT_EQ(budget_.used(), 0u);
    }
  }
}

TEST_F(GrpcDeframerTest, AlignsTheEndOfEveryMessage) {
  for (const size_t size : {1u, 7u, 8u, 63u, 64u, 65u, 500u}) {
    const std::string framed = Framed(std::string(size, 'a'));
    ByteSpan bytes = Bytes(framed);
    const auto message = deframer_.Next(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(message->data() + size) % 64, 0u) << size;
  }
}

TEST_F(GrpcDeframerTest, TakesBytesThatWereReadIntoItsTarget) {
  ByteSpan prefix = Bytes(std::string_view("\0\0\0\0\4", 5));
  EXPECT_FALSE(deframer_.Next(prefix));
  MutableByteSpan target = deframer_.target();
  ASSERT_EQ(target.size(), 4u);
  std::memcpy(target.data(), "ab", 2);
  ByteSpan half = target.first(2);
  EXPECT_FALSE(deframer_.Next(half));
  target = deframer_.target();
  ASSERT_EQ(target.size(), 2u);
  std::memcpy(target.data(), "cd", 2);
  ByteSpan rest = target;
  const auto message = deframer_.Next(rest);
  ASSERT_TRUE(message);
  EXPECT_EQ(Text(*message), "abcd");
  EXPECT_TRUE(deframer_.target().empty());
}

TEST_F(GrpcDeframerTest, RefusesAnOversizeMessageAtItsPrefixNamingSizeAndLimit) {
  EXPECT_TRUE(Feed(deframer_, std::string_view("\0\0\0\x03\xE9", 5)).empty());
  ASSERT_TRUE(deframer_.failure());
  EXPECT_EQ(deframer_.failure()->code, GrpcCode::kResourceExhausted);
  EXPECT_THAT(deframer_.failure()->message, HasSubstr("1001"));
  EXPECT_THAT(deframer_.failure()->message, HasSubstr("1000"));
  EXPECT_EQ(Find(deframer_.failure()->trailers, kRetryableTrailer), "false");
}

TEST_F(GrpcDeframerTest, TakesAMessageOfExactlyTheLimit) {
  EXPECT_EQ(Feed(deframer_, Framed(std::string(kLimit, 'x'))).size(), 1u);
}

TEST_F(GrpcDeframerTest, RefusesCompressedAndUnknownFlags) {
  EXPECT_TRUE(Feed(deframer_, std::string_view("\1\0\0\0\0", 5)).empty());
  ASSERT_TRUE(deframer_.failure());
  EXPECT_EQ(deframer_.failure()->code, GrpcCode::kInternal);
  GrpcDeframer other(kLimit, budget_);
  EXPECT_TRUE(Feed(other, std::string_view("\x50\0\0\0\0", 5)).empty());
  ASSERT_TRUE(other.failure());
  EXPECT_THAT(other.failure()->message, HasSubstr("80"));
}

TEST_F(GrpcDeframerTest, ChargesOnlyWhatHasArrived) {
  Feed(deframer_, Framed(std::string(900, 'x')).substr(0, 5));
  EXPECT_EQ(budget_.used(), 0u);
  Feed(deframer_, std::string(100, 'x'));
  EXPECT_EQ(budget_.used(), 100u);
  EXPECT_TRUE(deframer_.mid_message());
}

TEST_F(GrpcDeframerTest, FailsWhereTheBudgetIsUsedUpAndGivesItsShareBack) {
  ASSERT_TRUE(budget_.Charge(1950));
  Feed(deframer_, Framed(std::string(900, 'x')).substr(0, 105));
  ASSERT_TRUE(deframer_.failure());
  EXPECT_EQ(deframer_.failure()->code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(Find(deframer_.failure()->trailers, kRetryableTrailer), "true");
  EXPECT_EQ(budget_.used(), 1950u);
}

TEST_F(GrpcDeframerTest, GivesThePartialMessagesShareBackWhenDestroyed) {
  {
    GrpcDeframer deframer(kLimit, budget_);
    Feed(deframer, Framed(std::string(900, 'x')).substr(0, 500));
    EXPECT_EQ(budget_.used(), 495u);
  }
  EXPECT_EQ(budget_.used(), 0u);
}

}  // namespace
}  // namespace arka::transport

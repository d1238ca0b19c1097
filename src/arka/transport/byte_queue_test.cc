#include "arka/transport/byte_queue.h"

#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

std::string Text(const ByteQueue& queue) {
  std::array<iovec, 1024> entries;
  std::string text;
  const int count = queue.Gather(entries.data(), entries.size());
  for (int i = 0; i < count; ++i) {
    text.append(static_cast<const char*>(entries[i].iov_base), entries[i].iov_len);
  }
  return text;
}

TEST(ByteQueue, JoinsSmallPieces) {
  ByteQueue queue;
  queue.AppendCopy("ab", 2);
  queue.Append(arrow::Buffer::FromString("cd"));
  std::array<iovec, 4> entries;
  EXPECT_EQ(queue.Gather(entries.data(), 4), 1);
  EXPECT_EQ(Text(queue), "abcd");
}

TEST(ByteQueue, KeepsLargeBuffersByReference) {
  const auto large = std::shared_ptr(arrow::Buffer::FromString(std::string(10'000, 'x')));
  ByteQueue queue;
  queue.AppendCopy("a", 1);
  queue.Append(large);
  std::array<iovec, 4> entries;
  ASSERT_EQ(queue.Gather(entries.data(), 4), 2);
  EXPECT_EQ(entries[1].iov_base, large->data());
  EXPECT_EQ(large.use_count(), 2);
  queue.Pop(queue.size());
  EXPECT_EQ(large.use_count(), 1);
}

TEST(ByteQueue, ActsLikeAStringUnderRandomUse) {
  std::mt19937 random(20260729);
  ByteQueue queue;
  ByteQueue other;
  std::string expected;
  std::string other_expected;
  for (int step = 0; step < 20'000; ++step) {
    const size_t size = random() % 9 == 0 ? random() % 20'000 : random() % 50;
    const std::string bytes(size, static_cast<char>('a' + random() % 26));
    switch (random() % 4) {
      case 0:
        queue.AppendCopy(bytes.data(), bytes.size());
        expected += bytes;
        break;
      case 1:
        queue.Append(arrow::Buffer::FromString(bytes));
        expected += bytes;
        break;
      case 2: {
        const size_t popped = std::min(queue.size(), size);
        queue.Pop(size);
        expected.erase(0, popped);
        break;
      }
      default: {
        const size_t moved = std::min(queue.size(), size);
        queue.MoveTo(other, size);
        other_expected += expected.substr(0, moved);
        expected.erase(0, moved);
        ASSERT_EQ(other.size(), other_expected.size());
        if (random() % 10 == 0) {
          ASSERT_EQ(Text(other).substr(0, 100), other_expected.substr(0, 100));
          other.Clear();
          other_expected.clear();
        }
      }
    }
    ASSERT_EQ(queue.size(), expected.size());
    if (step % 100 == 0) {
      const std::string text = Text(queue);
      ASSERT_EQ(text, expected.substr(0, text.size()));
    }
  }
}

}  // namespace
}  // namespace arka::transport

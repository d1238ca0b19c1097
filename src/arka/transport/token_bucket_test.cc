#include "arka/transport/token_bucket.h"

#include <gtest/gtest.h>

namespace arka::transport {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, LetsABurstPassAndThenTheRate) {
  const SteadyTime start{1h};
  TokenBucket bucket(100, 10, start);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(bucket.Take(start)) << i;
  EXPECT_FALSE(bucket.Take(start));
  EXPECT_TRUE(bucket.Take(start + 100ms));
  EXPECT_FALSE(bucket.Take(start + 100ms));
}

TEST(TokenBucket, FillsUpToTheBurstOnly) {
  const SteadyTime start{1h};
  TokenBucket bucket(2, 10, start);
  EXPECT_TRUE(bucket.Take(start));
  EXPECT_TRUE(bucket.Take(start));
  EXPECT_TRUE(bucket.Take(start + 1h));
  EXPECT_TRUE(bucket.Take(start + 1h));
  EXPECT_FALSE(bucket.Take(start + 1h));
}

}  // namespace
}  // namespace arka::transport

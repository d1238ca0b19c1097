#include "percentiles.h"

#include <gtest/gtest.h>

namespace arka::bench {
namespace {

TEST(Percentiles, AreTheNearestRanks) {
  Percentiles latencies;
  for (int i = 100; i >= 1; --i) latencies.Add(std::chrono::microseconds(i));
  auto json = latencies.ToJson();
  EXPECT_EQ(json["count"], 100);
  EXPECT_EQ(json["min_us"], 1.0);
  EXPECT_EQ(json["p50_us"], 50.0);
  EXPECT_EQ(json["p99_us"], 99.0);
  EXPECT_EQ(json["p999_us"], 100.0);
  EXPECT_EQ(json["max_us"], 100.0);
}

TEST(Percentiles, SayNothingOfNoLatencies) {
  EXPECT_EQ(Percentiles().ToJson(), nlohmann::json({{"count", 0}}));
}

TEST(Percentiles, MergeAsIfOneHadSeenAll) {
  Percentiles some;
  Percentiles others;
  some.Add(std::chrono::microseconds(1));
  others.Add(std::chrono::microseconds(3));
  some.Merge(others);
  EXPECT_EQ(some.ToJson()["max_us"], 3.0);
  EXPECT_EQ(some.ToJson()["count"], 2);
}

}  // namespace
}  // namespace arka::bench

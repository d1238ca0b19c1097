#include "arka/ingest/tier_history.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;

WallTime At(int64_t ms) { return WallTime(milliseconds(ms)); }

TEST(TierHistory, TellsWhenAnLsnReachedTheTier) {
  TierHistory history(minutes(5));
  EXPECT_EQ(history.ReachedAt(Lsn{1000}), std::nullopt);
  history.OnMoved(Lsn{1000}, At(100));
  history.OnMoved(Lsn{1005}, At(200));
  EXPECT_EQ(history.ReachedAt(Lsn{999}), At(100));
  EXPECT_EQ(history.ReachedAt(Lsn{1000}), At(100));
  EXPECT_EQ(history.ReachedAt(Lsn{1001}), At(200));
  EXPECT_EQ(history.ReachedAt(Lsn{1005}), At(200));
  EXPECT_EQ(history.ReachedAt(Lsn{1006}), std::nullopt);
}

TEST(TierHistory, TellsTheTimeOfTheOldestSampleForWhatIsOlder) {
  TierHistory history(minutes(5));
  for (int64_t i = 0; i < 10; ++i) history.OnMoved(Lsn{1000 + i}, At(i * 60'000));
  EXPECT_EQ(history.ReachedAt(Lsn{1000}), At(4 * 60'000));
  history.OnMoved(Lsn{1010}, At(1'000'000'000));
  EXPECT_EQ(history.ReachedAt(Lsn{1000}), At(1'000'000'000));
}

TEST(TierHistory, IsNeverTooEarlyAndNeverMoreThanAStepTooLateWithinItsTime) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    TierHistory history(hours(1));
    std::map<int64_t, WallTime> truth;
    WallTime now = At(0);
    int64_t lsn = 1000;
    for (int i = 0; i < 2000; ++i) {
      now += microseconds(random() % 5000);
      const int64_t to = lsn + static_cast<int64_t>(random() % 4);
      history.OnMoved(Lsn{to}, now);
      if (lsn == 1000 && i == 0) truth[1000] = now;
      while (lsn < to) truth[++lsn] = now;
    }
    for (const auto& [wanted, reached] : truth) {
      const auto told = history.ReachedAt(Lsn{wanted});
      ASSERT_TRUE(told.has_value());
      ASSERT_GE(*told, reached) << wanted;
      ASSERT_LE(*told, reached + TierHistory::kStep) << wanted;
    }
  }
}

TEST(TierHistory, HoldsOnlySoManySamplesAndStaysTrue) {
  TierHistory history(hours(1'000'000));
  const int64_t count = 3 * static_cast<int64_t>(TierHistory::kMaxSamples);
  for (int64_t i = 0; i < count; ++i) history.OnMoved(Lsn{1000 + i}, At(10 * i));
  for (int64_t i = 0; i < count; i += 7) {
    const auto told = history.ReachedAt(Lsn{1000 + i});
    ASSERT_TRUE(told.has_value());
    ASSERT_GE(*told, At(10 * i));
  }
}

}  // namespace
}  // namespace arka::ingest

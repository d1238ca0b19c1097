#include "arka/ingest/lsn_ranges.h"

#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "arka/testing/seeded_random.h"

namespace arka::ingest {
namespace {

TEST(LsnRanges, HoldsWhatWasAddedAndNothingElse) {
  LsnRanges ranges;
  EXPECT_FALSE(ranges.Contains(Lsn{1000}));
  ranges.Add({Lsn{1005}, Lsn{1004}});
  EXPECT_TRUE(ranges.empty());
  ranges.Add({Lsn{1005}, Lsn{1007}});
  ranges.Add({Lsn{1010}, Lsn{1010}});
  for (int64_t lsn = 1000; lsn < 1015; ++lsn) {
    EXPECT_EQ(ranges.Contains(Lsn{lsn}), (lsn >= 1005 && lsn <= 1007) || lsn == 1010) << lsn;
  }
  EXPECT_EQ(ranges.UpTo(Lsn{1004}).size(), 0u);
  EXPECT_EQ(ranges.UpTo(Lsn{1009}).size(), 1u);
}

TEST(LsnRanges, MakesOneOfRangesThatTouchOrOverlap) {
  LsnRanges ranges;
  ranges.Add({Lsn{1005}, Lsn{1007}});
  ranges.Add({Lsn{1008}, Lsn{1009}});
  ranges.Add({Lsn{1008}, Lsn{1020}});
  ranges.Add({Lsn{1010}, Lsn{1011}});
  EXPECT_EQ(ranges.UpTo(Lsn{2000}), (std::vector<LsnRange>{{Lsn{1005}, Lsn{1020}}}));
}

TEST(LsnRanges, TakesRangesInAnyOrderAndAgreesWithASet) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    LsnRanges ranges;
    std::set<int64_t> model;
    for (int step = 0; step < 12; ++step) {
      const auto first = static_cast<int64_t>(1000 + random.Next() % 60);
      const auto last = static_cast<int64_t>(first + random.Next() % 6);
      ranges.Add({Lsn{first}, Lsn{last}});
      for (int64_t lsn = first; lsn <= last; ++lsn) model.insert(lsn);
    }
    const auto all = ranges.UpTo(Lsn{2000});
    for (size_t i = 1; i < all.size(); ++i) EXPECT_GT(all[i].first, all[i - 1].last.next());
    EXPECT_EQ(ranges.count(), static_cast<int64_t>(model.size()));
    for (int64_t lsn = 990; lsn < 1080; ++lsn) {
      ASSERT_EQ(ranges.Contains(Lsn{lsn}), model.contains(lsn)) << lsn;
      const auto behind = model.lower_bound(lsn);
      const Lsn below = behind == model.begin() ? kNoLsn : Lsn{*std::prev(behind)};
      ASSERT_EQ(ranges.LastBelow(Lsn{lsn}), below) << lsn;
    }
  }
}

}  // namespace
}  // namespace arka::ingest

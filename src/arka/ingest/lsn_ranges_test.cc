#include "arka/ingest/lsn_ranges.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace arka::ingest

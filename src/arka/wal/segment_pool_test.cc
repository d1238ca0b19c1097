#include "arka/wal/segment_pool.h"

#include <gtest/gtest.h>

#include "arka/testing/faulty_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"

namespace arka::wal {
namespace {

class SegmentPoolTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(fs_.CreateDirs("/log"), IsOk()); }

  std::unique_ptr<SegmentPool> Make(int count) {
    return SegmentPool::Make(faulty_, "/log", *fs_.List("/log"), 4096, count).ValueOrDie();
  }

  MemoryFs fs_;
  FaultPlan plan_;
  FaultyFs faulty_{fs_, plan_};
};

TEST_F(SegmentPoolTest, WritesSparesUntilThereAreEnough) {
  const auto pool = Make(2);
  EXPECT_FALSE(pool->Take().has_value());
  EXPECT_TRUE(*pool->Step());
  EXPECT_TRUE(*pool->Step());
  EXPECT_FALSE(*pool->Step());
  const auto spare = pool->Take();
  ASSERT_TRUE(spare.has_value());
  EXPECT_EQ(*spare->file->Size(), 4096);
  EXPECT_TRUE(*pool->Step());
}

TEST_F(SegmentPoolTest, MakesAReleasedSegmentASpareWithItsStaleBytes) {
  const auto pool = Make(1);
  fs_.SetContents("/log/1.log", std::vector<std::byte>(4096, std::byte{7}));
  ASSERT_THAT(pool->Recycle("/log/1.log", 4096), IsOk());
  EXPECT_FALSE(*fs_.Exists("/log/1.log"));
  const auto spare = pool->Take();
  ASSERT_TRUE(spare.has_value());
  EXPECT_EQ(fs_.Contents(spare->path)->at(4095), std::byte{7});
}

TEST_F(SegmentPoolTest, RemovesWhatItHasNoUseFor) {
  const auto pool = Make(1);
  EXPECT_TRUE(*pool->Step());
  fs_.SetContents("/log/1.log", std::vector<std::byte>(4096));
  fs_.SetContents("/log/2.log", std::vector<std::byte>(9999));
  ASSERT_THAT(pool->Recycle("/log/1.log", 4096), IsOk());
  ASSERT_TRUE(pool->Take().has_value());
  ASSERT_THAT(pool->Recycle("/log/2.log", 9999), IsOk());
  EXPECT_FALSE(*fs_.Exists("/log/1.log"));
  EXPECT_FALSE(*fs_.Exists("/log/2.log"));
}

TEST_F(SegmentPoolTest, AdoptsSparesOfAnEarlierRunAndRemovesUnfinishedOnes) {
  EXPECT_TRUE(*Make(1)->Step());
  fs_.SetContents("/log/spare-00000000000000000009.tmp", std::vector<std::byte>(4096));
  fs_.SetContents("/log/spare-00000000000000000008", std::vector<std::byte>(1));
  const auto pool = Make(2);
  EXPECT_EQ(fs_.Paths().size(), 1u);
  EXPECT_TRUE(pool->Take().has_value());
  EXPECT_FALSE(pool->Take().has_value());
}

TEST_F(SegmentPoolTest, LeavesNothingBehindWhereTheDiskIsFull) {
  const auto pool = Make(1);
  fs_.SetCapacity(2048);
  EXPECT_THAT(pool->Step(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_TRUE(fs_.Paths().empty());
  fs_.SetCapacity(1 << 20);
  EXPECT_TRUE(*pool->Step());
}

TEST_F(SegmentPoolTest, SyncsASpareBeforeItCounts) {
  const auto pool = Make(1);
  EXPECT_TRUE(*pool->Step());
  bool synced = false;
  for (const FaultPlan::LogEntry& entry : plan_.Log()) {
    if (entry.operation.kind == "sync") synced = true;
    if (entry.operation.kind == "rename") {
      EXPECT_TRUE(synced);
    }
  }
  EXPECT_TRUE(synced);
}

}  // namespace
}  // namespace arka::wal

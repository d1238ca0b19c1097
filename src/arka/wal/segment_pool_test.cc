#include "arka/wal/segment_pool.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "arka/testing/faulty_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/simulated_clock.h"

namespace arka::wal {
namespace {

constexpr int64_t kThreePieces = 3 << 20;

class SegmentPoolTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(fs_.CreateDirs("/log"), IsOk()); }

  std::unique_ptr<SegmentPool> Make(int spare_segments, int recycled_segments = 0,
                                    int64_t segment_bytes = 4096, int64_t max_bytes = 0,
                                    int64_t used_bytes = 0, int64_t keep_free_bytes = 0,
                                    int copies_on_disk = 0) {
    return SegmentPool::Make(faulty_, clock_,
                             {.directory = "/log",
                              .segment_bytes = segment_bytes,
                              .spare_segments = spare_segments,
                              .recycled_segments = recycled_segments,
                              .max_bytes = max_bytes,
                              .used_bytes = used_bytes,
                              .keep_free_bytes = keep_free_bytes,
                              .copies_on_disk = copies_on_disk},
                             *fs_.List("/log"))
        .ValueOrDie();
  }

  /// The kinds of these operations so far, each with a space behind it.
  std::string WritesAndSyncs() {
    std::string kinds;
    for (const FaultPlan::LogEntry& entry : plan_.Log()) {
      const std::string kind(entry.operation.kind);
      if (kind == "write" || kind == "sync") kinds += kind + " ";
    }
    return kinds;
  }

  MemoryFs fs_;
  FaultPlan plan_;
  FaultyFs faulty_{fs_, plan_};
  SimulatedClock clock_;
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

TEST_F(SegmentPoolTest, KeepsAsManyReleasedSegmentsAsItIsToldTo) {
  const auto pool = Make(1, 3);
  for (const char* path : {"/log/1.log", "/log/2.log", "/log/3.log", "/log/4.log"}) {
    fs_.SetContents(path, std::vector<std::byte>(4096));
    ASSERT_THAT(pool->Recycle(path, 4096), IsOk());
  }
  EXPECT_EQ(fs_.Paths().size(), 3u);
  const auto next = Make(1, 3);
  EXPECT_EQ(fs_.Paths().size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(next->Take().has_value());
  EXPECT_FALSE(next->Take().has_value());
}

TEST_F(SegmentPoolTest, WritesOnePieceAtATimeAndSyncsItBeforeTheNext) {
  const auto pool = Make(1, 0, kThreePieces);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(pool->Take().has_value());
    EXPECT_TRUE(*pool->Step());
  }
  EXPECT_TRUE(pool->Take().has_value());
  EXPECT_EQ(WritesAndSyncs(), "write sync write sync write sync ");
}

TEST_F(SegmentPoolTest, GivesUpTheSpareInHandWhereAReleasedSegmentTakesItsPlace) {
  const auto pool = Make(1, 0, kThreePieces);
  EXPECT_TRUE(*pool->Step());
  fs_.SetContents("/log/1.log", std::vector<std::byte>(kThreePieces));
  ASSERT_THAT(pool->Recycle("/log/1.log", kThreePieces), IsOk());
  EXPECT_FALSE(*pool->Step());
  EXPECT_EQ(fs_.Paths().size(), 1u);
  EXPECT_TRUE(pool->Take().has_value());
}

TEST_F(SegmentPoolTest, LeavesTheDiskToTheLogWhileThatWrites) {
  using std::chrono_literals::operator""ms;
  const auto pool = Make(1, 0, kThreePieces);
  pool->NoteLogWrite();
  pool->Start();
  clock_.AwaitWaiters(1);
  clock_.Advance(100ms);
  EXPECT_EQ(WritesAndSyncs(), "write sync ");
  clock_.Advance(100ms);
  clock_.AwaitWaiters(1);
  EXPECT_EQ(WritesAndSyncs(), "write sync write sync ");
  clock_.Advance(10ms);  // the log is at rest now
  pool->Stop();
  EXPECT_LE(fs_.Paths().size(), 1u);
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

TEST_F(SegmentPoolTest, LeavesRoomOnTheDisk) {
  fs_.SetCapacity(8 * 4096);
  const auto pool = Make(8, 8, 4096, 0, 0, /*keep_free_bytes=*/3 * 4096);
  for (int spare = 0; spare < 5; ++spare) EXPECT_TRUE(*pool->Step());
  EXPECT_THAT(pool->Step(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_EQ(*fs_.FreeBytes("/log"), 3 * 4096);
  EXPECT_TRUE(pool->Take().has_value()) << "it is on the disk already";
  fs_.SetContents("/data file", std::vector<std::byte>(4096));
  EXPECT_FALSE(pool->Take().has_value());
  EXPECT_EQ(*fs_.FreeBytes("/log"), 3 * 4096) << "a spare that is of no use is room";
  fs_.SetContents("/data file", std::vector<std::byte>(2 * 4096));
  fs_.SetContents("/log/1.log", std::vector<std::byte>(4096));
  ASSERT_THAT(pool->Recycle("/log/1.log", 4096), IsOk());
  EXPECT_FALSE(*fs_.Exists("/log/1.log")) << "so is a released segment";
}

TEST_F(SegmentPoolTest, LeavesRoomForCopiesOfTheSegmentsInUse) {
  fs_.SetCapacity(10 * 4096);
  const auto pool = Make(0, 0, 4096, 0, /*used_bytes=*/4096, /*keep_free_bytes=*/4096,
                         /*copies_on_disk=*/2);
  EXPECT_THAT(pool->CheckRoomFor(4096, 4096), IsOk());
  pool->CountUsed(4096);
  EXPECT_THAT(pool->CheckRoomFor(4096, 4096), IsOk());
  pool->CountUsed(4096);
  EXPECT_THAT(pool->CheckRoomFor(4096, 4096), IsOk()) << "itself, 2 x 4 copies, and one";
  pool->CountUsed(4096);
  EXPECT_THAT(pool->CheckRoomFor(4096, 4096), FailsWith(ErrorCode::kBackpressure));
}

TEST_F(SegmentPoolTest, CountsSegmentsInUseAndEverySpare) {
  const auto pool = Make(1, 2, kThreePieces, 0, /*used_bytes=*/100);
  EXPECT_EQ(pool->total_bytes(), 100);
  EXPECT_TRUE(*pool->Step());  // a third of it: the file has its whole size already
  EXPECT_EQ(pool->total_bytes(), 100 + kThreePieces);
  EXPECT_TRUE(*pool->Step());
  EXPECT_TRUE(*pool->Step());
  EXPECT_EQ(pool->used_bytes(), 100);
  ASSERT_TRUE(pool->Take().has_value());
  EXPECT_EQ(pool->used_bytes(), 100 + kThreePieces);
  EXPECT_EQ(pool->total_bytes(), 100 + kThreePieces);
  fs_.SetContents("/log/1.log", std::vector<std::byte>(kThreePieces));
  ASSERT_THAT(pool->Recycle("/log/1.log", kThreePieces), IsOk());
  EXPECT_EQ(pool->used_bytes(), 100);
  EXPECT_EQ(pool->total_bytes(), 100 + kThreePieces);
}

TEST_F(SegmentPoolTest, RemovesReleasedSegmentsThatDoNotFitWithinTheBound) {
  const auto pool = Make(0, 9, 4096, /*max_bytes=*/4 * 4096, /*used_bytes=*/4 * 4096);
  for (const char* path : {"/log/1.log", "/log/2.log"}) {
    fs_.SetContents(path, std::vector<std::byte>(4096));
    ASSERT_THAT(pool->Recycle(path, 4096), IsOk());
  }
  EXPECT_EQ(fs_.Paths().size(), 2u);
  pool->CountUsed(4096);  // a file that was made afresh: spares give way
  EXPECT_TRUE(*pool->Step());
  EXPECT_EQ(fs_.Paths().size(), 1u);
  EXPECT_EQ(pool->total_bytes(), 4 * 4096);
  pool->CountUsed(2 * 4096);
  fs_.SetContents("/log/3.log", std::vector<std::byte>(4096));
  ASSERT_THAT(pool->Recycle("/log/3.log", 4096), IsOk());
  EXPECT_FALSE(*fs_.Exists("/log/3.log"));
}

TEST_F(SegmentPoolTest, WritesNoSpareThatDoesNotFitWithinTheBound) {
  const auto pool = Make(3, 0, 4096, /*max_bytes=*/3 * 4096, /*used_bytes=*/4096);
  EXPECT_TRUE(*pool->Step());
  EXPECT_TRUE(*pool->Step());
  EXPECT_FALSE(*pool->Step());
  EXPECT_EQ(fs_.Paths().size(), 2u);
  pool->CountUsed(-4096);
  EXPECT_TRUE(*pool->Step());
  EXPECT_FALSE(*pool->Step());
}

TEST_F(SegmentPoolTest, AdoptsOnlySparesThatFitWithinTheBound) {
  for (const char* name : {"/log/spare-01", "/log/spare-02", "/log/spare-03"}) {
    fs_.SetContents(name, std::vector<std::byte>(4096));
  }
  const auto pool = Make(3, 3, 4096, /*max_bytes=*/3 * 4096, /*used_bytes=*/4096);
  EXPECT_EQ(pool->total_bytes(), 3 * 4096);
  EXPECT_EQ(fs_.Paths().size(), 2u);
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

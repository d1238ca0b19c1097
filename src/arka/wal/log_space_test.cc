// What the log says of its bytes on disk is what the disk says, and spares give way to a bound.
#include <random>

#include "arka/wal/log_harness_test.h"

namespace arka::wal {
namespace {

class LogSpaceTest : public ::testing::Test, protected LogHarness {
 protected:
  int64_t OnDisk() const {
    int64_t bytes = 0;
    for (const std::string& path : fs->Paths()) {
      if (!path.ends_with("/control")) bytes += static_cast<int64_t>(fs->Contents(path)->size());
    }
    return bytes;
  }
  int64_t InSegments() const {
    int64_t bytes = 0;
    for (const std::string& path : Segments()) {
      bytes += static_cast<int64_t>(fs->Contents(path)->size());
    }
    return bytes;
  }
};

TEST_F(LogSpaceTest, CountsWhatIsOnDiskThroughAppendsReleasesAndCrashes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  options.recycled_segments = 3;
  options.max_bytes = 6 * 4096;
  Open();
  for (int step = 0; step < 400; ++step) {
    const uint32_t action = random() % 20;
    if (action == 0) {
      Crash();
      Open();
    } else if (action < 4) {
      const int64_t back = static_cast<int64_t>(random() % 8);
      ASSERT_THAT(log->Release(Lsn{log->disk_lsn().value - back}), IsOk());
    } else {
      AppendSynced({std::string(random() % (action == 4 ? 9000 : 1500), 'x')});
    }
    ASSERT_EQ(log->retained_bytes(), OnDisk());
    ASSERT_EQ(log->used_bytes(), InSegments());
  }
}

TEST_F(LogSpaceTest, KeepsWithinItsBoundForAsLongAsSegmentsInUseDo) {
  options.recycled_segments = 16;
  options.max_bytes = 4 * 4096;
  Open();
  for (int round = 0; round < 10; ++round) {
    while (log->used_bytes() < options.max_bytes) {
      AppendSynced({std::string(1000, 'x')});
      EXPECT_LE(OnDisk(), options.max_bytes);
    }
    ASSERT_THAT(log->Release(log->disk_lsn()), IsOk());
    EXPECT_EQ(log->used_bytes(), 4096);
    EXPECT_EQ(OnDisk(), options.max_bytes) << "released segments are spares where they fit";
  }
}

TEST_F(LogSpaceTest, CountsNothingForASegmentThatTheFullDiskRefused) {
  Open();
  AppendSynced({"a"});
  fs->SetCapacity(0);
  Append(std::string(5000, 'x'));
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_EQ(log->retained_bytes(), OnDisk());
  fs->SetCapacity(1 << 30);
  Sync();
  EXPECT_EQ(log->retained_bytes(), OnDisk());
}

TEST_F(LogSpaceTest, LeavesRoomOnTheDiskAndGoesOnWhenThereIsMore) {
  options.keep_free_bytes = 2 * 4096;
  Open();
  fs->SetCapacity(8 * 4096);
  for (int i = 0; i < 40; ++i) Append(std::string(1000, 'x'));
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_GE(*fs->FreeBytes(options.directory), 2 * 4096);
  ASSERT_GT(log->disk_lsn(), kNoLsn);
  ASSERT_THAT(log->Release(log->disk_lsn()), IsOk());
  const Lsn before = log->disk_lsn();
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_GT(log->disk_lsn(), before) << "what was released is room";
  fs->SetCapacity(1 << 30);
  Sync();
  EXPECT_EQ(log->disk_lsn(), log->last_lsn());
}

}  // namespace
}  // namespace arka::wal

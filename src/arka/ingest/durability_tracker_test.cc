#include "arka/ingest/durability_tracker.h"

#include <random>

#include <gtest/gtest.h>

namespace arka::ingest {
namespace {

constexpr TableId kA{1};
constexpr TableId kB{2};

TEST(DurabilityTracker, TiersFollowEachOther) {
  DurabilityTracker tracker;
  tracker.OnWrite(kA, Lsn{1000});
  tracker.OnWrite(kA, Lsn{1001});
  EXPECT_EQ(tracker.watermarks(), (protocol::Watermarks{Lsn{1001}, kNoLsn, kNoLsn, kNoLsn}));
  tracker.OnDisk(Lsn{1001});
  tracker.OnObjectStorage(Lsn{1000});
  EXPECT_EQ(tracker.watermarks(), (protocol::Watermarks{Lsn{1001}, Lsn{1001}, Lsn{1000}, kNoLsn}));
  tracker.OnCommitted(kA, Lsn{1000}, Lsn{1001});
  EXPECT_EQ(tracker.watermarks().committed_lsn, Lsn{1000});
}

TEST(DurabilityTracker, TheSlowestTableHoldsTheCommittedWatermark) {
  DurabilityTracker tracker;
  tracker.OnWrite(kA, Lsn{1000});
  tracker.OnWrite(kB, Lsn{1001});
  tracker.OnWrite(kA, Lsn{1002});
  tracker.OnDisk(Lsn{1002});
  tracker.OnObjectStorage(Lsn{1002});
  tracker.OnCommitted(kA, Lsn{1002}, kNoLsn);
  EXPECT_EQ(tracker.watermarks().committed_lsn, Lsn{1000});
  tracker.OnCommitted(kB, Lsn{1001}, kNoLsn);
  EXPECT_EQ(tracker.watermarks().committed_lsn, Lsn{1002});
}

TEST(DurabilityTracker, WhatAStartFindsUncommittedIsNotCommittedForBeingUploaded) {
  const DurabilityTracker tracker(Lsn{1049}, Lsn{1049}, {{kA, Lsn{1010}}});
  EXPECT_EQ(tracker.watermarks(),
            (protocol::Watermarks{Lsn{1049}, Lsn{1049}, Lsn{1049}, Lsn{1009}}));
}

TEST(DurabilityTracker, NoWatermarkEverFallsAndTheirOrderHolds) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    DurabilityTracker tracker;
    std::map<TableId, std::vector<Lsn>> uncommitted;
    Lsn last = kNoLsn;
    protocol::Watermarks before = tracker.watermarks();
    for (int step = 0; step < 300; ++step) {
      const auto& now = tracker.watermarks();
      const auto between = [&](Lsn low, Lsn high) {
        return Lsn{low.value + static_cast<int64_t>(random() % (high.value - low.value + 1))};
      };
      switch (random() % 4) {
        case 0: {
          last = Lsn{last.value + 1 + static_cast<int64_t>(random() % 3)};
          const TableId table{static_cast<uint32_t>(random() % 4)};
          uncommitted[table].push_back(last);
          tracker.OnWrite(table, last);
          break;
        }
        case 1:
          tracker.OnDisk(between(now.disk_lsn, now.last_lsn));
          break;
        case 2:
          tracker.OnObjectStorage(between(now.s3_lsn, now.disk_lsn));
          break;
        case 3: {
          const TableId table{static_cast<uint32_t>(random() % 4)};
          auto& writes = uncommitted[table];
          const Lsn through = between(kNoLsn, now.s3_lsn);
          std::erase_if(writes, [&](Lsn lsn) { return lsn <= through; });
          tracker.OnCommitted(table, through, writes.empty() ? kNoLsn : writes.front());
          break;
        }
      }
      const auto& after = tracker.watermarks();
      ASSERT_GE(after.last_lsn, after.disk_lsn);
      ASSERT_GE(after.disk_lsn, after.s3_lsn);
      ASSERT_GE(after.s3_lsn, after.committed_lsn);
      ASSERT_GE(after.disk_lsn, before.disk_lsn);
      ASSERT_GE(after.s3_lsn, before.s3_lsn);
      ASSERT_GE(after.committed_lsn, before.committed_lsn);
      for (const auto& [table, writes] : uncommitted) {
        for (Lsn lsn : writes) ASSERT_GT(lsn, after.committed_lsn) << "an ack that lies";
      }
      before = after;
    }
  }
}

TEST(DurabilityTracker, WritesToTablesThatAreGoneAreNotWaitedFor) {
  DurabilityTracker tracker(Lsn{1002}, Lsn{1001}, {{{2}, Lsn{1000}}, {{1}, Lsn{1002}}});
  tracker.SetGone({2}, true);
  EXPECT_FALSE(tracker.all_landed());
  tracker.OnObjectStorage(Lsn{1002});
  EXPECT_FALSE(tracker.all_landed()) << "table 1 has one";
  tracker.OnCommitted({1}, Lsn{1002}, kNoLsn);
  EXPECT_TRUE(tracker.all_landed());
  EXPECT_EQ(tracker.watermarks().committed_lsn, Lsn{999}) << "but they are not committed";
  tracker.OnWrite({1}, Lsn{1003});
  EXPECT_FALSE(tracker.all_landed());
}

}  // namespace
}  // namespace arka::ingest

#include "arka/acks/ack_cursors.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace arka::acks {
namespace {

constexpr std::array<bool, 4> kAll = {true, true, true, true};
constexpr int64_t kManyRows = 10'000'000;

std::optional<CommittedRange> NoCommit(Lsn) { return std::nullopt; }
std::optional<CommittedRange> AllCommitted(Lsn lsn) { return CommittedRange{lsn, 9, 90}; }
std::optional<int64_t> NoTime(Tier, Lsn) { return std::nullopt; }

ReachedTiers UpTo(Lsn memory, Lsn disk = kNoLsn, Lsn s3 = kNoLsn) {
  return {{memory, disk, s3}, {100, 100, 100, 100}};
}

std::vector<int64_t> LsnsAt(const std::vector<protocol::AckRun>& acks, Tier tier) {
  std::vector<int64_t> lsns;
  for (const auto& run : acks) {
    if (run.tier != tier) continue;
    for (int64_t lsn = run.first.value; lsn <= run.last.value; ++lsn) lsns.push_back(lsn);
  }
  return lsns;
}

TEST(AckCursors, ARetryIsToldAllThatItsWriteHasReachedBeginningWithMemory) {
  AckCursors cursors(kAll, Tier::kCommitted);
  cursors.Add(Lsn{1000}, /*is_retry=*/true);
  const auto acks =
      cursors.Take(UpTo(Lsn{1005}, Lsn{1004}, Lsn{1003}), NoTime, AllCommitted, kManyRows);
  ASSERT_EQ(acks.size(), 4u);
  for (size_t i = 0; i < acks.size(); ++i) {
    EXPECT_EQ(acks[i].first, Lsn{1000});
    EXPECT_EQ(acks[i].tier, kAllTiers[i]);
  }
  EXPECT_EQ(acks[3].snapshot_id, 9);
  EXPECT_TRUE(cursors.AllTakenThrough(Tier::kCommitted));
}

TEST(AckCursors, MemoryIsToldInTheOrderOfTheBatchesWhateverTheirLsns) {
  AckCursors cursors(kAll, Tier::kCommitted);
  const std::vector<int64_t> sent = {1000, 1005, 1000, 1006, 1001, 1001, 1007, 1000};
  for (int64_t lsn : sent) cursors.Add(Lsn{lsn}, lsn < 1005);
  EXPECT_EQ(LsnsAt(cursors.Take(UpTo(Lsn{1007}), NoTime, NoCommit, kManyRows), Tier::kMemory),
            sent);
}

TEST(AckCursors, TheTimesOfARetryAreThoseOfTheFirstTime) {
  AckCursors cursors(kAll, Tier::kCommitted);
  cursors.Add(Lsn{1000}, /*is_retry=*/true);
  const TimeLookup times = [](Tier tier, Lsn lsn) -> std::optional<int64_t> {
    EXPECT_EQ(lsn, Lsn{1000});
    return 10 + 10 * static_cast<int64_t>(IndexOf(tier));
  };
  const auto acks = cursors.Take(UpTo(Lsn{5000}, Lsn{5000}, Lsn{5000}), times, NoCommit, kManyRows);
  ASSERT_EQ(acks.size(), 3u);
  EXPECT_EQ(acks[0].timestamp_us, 10);
  EXPECT_EQ(acks[1].timestamp_us, 20);
  EXPECT_EQ(acks[2].timestamp_us, 30);
}

TEST(AckCursors, TheSameBatchMaySentManyTimesUpToABound) {
  AckCursors cursors(kAll, Tier::kCommitted);
  for (size_t i = 0; i < AckCursors::kMaxBusy; ++i) {
    ASSERT_TRUE(cursors.HasRoom());
    cursors.Add(Lsn{1000}, i > 0);
  }
  EXPECT_FALSE(cursors.HasRoom());
  const auto reached = UpTo(Lsn{1000}, Lsn{1000}, Lsn{1000});
  EXPECT_EQ(cursors.Take(reached, NoTime, NoCommit, kManyRows).size(), 3 * AckCursors::kMaxBusy);
  EXPECT_FALSE(cursors.HasRoom()) << "COMMITTED is still to come";
  EXPECT_EQ(cursors.Take(reached, NoTime, AllCommitted, kManyRows).size(), AckCursors::kMaxBusy);
  EXPECT_TRUE(cursors.HasRoom());
  for (int i = 0; i < 1000; ++i) {
    cursors.Add(Lsn{1000}, true);
    EXPECT_EQ(cursors.Take(reached, NoTime, AllCommitted, kManyRows).size(), 4u);
  }
}

TEST(AckCursors, WhatNobodyWillBeToldOccupiesNoCursor) {
  AckCursors cursors({true, true, false, false}, Tier::kLocalDisk);
  const auto reached = UpTo(Lsn{1000}, Lsn{1000});
  for (size_t i = 0; i < 2 * AckCursors::kMaxBusy; ++i) {
    ASSERT_TRUE(cursors.HasRoom());
    cursors.Add(Lsn{1000}, true);
    EXPECT_EQ(cursors.Take(reached, NoTime, NoCommit, kManyRows).size(), 2u);
  }
}

TEST(AckCursors, WhatWasCommittedLongAgoIsToldAtOnceAndInItsTurn) {
  AckCursors cursors(kAll, Tier::kCommitted);
  cursors.Add(Lsn{2000}, false);
  for (int i = 0; i < 3; ++i) cursors.AddCommittedLongAgo(Lsn{1500});
  cursors.Add(Lsn{2001}, false);
  EXPECT_FALSE(cursors.AllTakenThrough(Tier::kMemory));
  const auto acks = cursors.Take(UpTo(Lsn{2001}), NoTime, AllCommitted, kManyRows);
  EXPECT_EQ(LsnsAt(acks, Tier::kMemory), (std::vector<int64_t>{2000, 1500, 1500, 1500, 2001}));
  EXPECT_EQ(LsnsAt(acks, Tier::kCommitted), (std::vector<int64_t>{1500, 1500, 1500}));
  EXPECT_TRUE(cursors.AllTakenThrough(Tier::kMemory));
}

TEST(AckCursors, AMillionBatchesSentAgainFromTheFirstAreAFewRuns) {
  AckCursors cursors(kAll, Tier::kCommitted);
  constexpr int64_t kBatches = 1'000'000;
  for (int round = 0; round < 2; ++round) {
    for (int64_t i = 0; i < kBatches; ++i) cursors.Add(Lsn{1000 + i}, round > 0);
  }
  int64_t rows = 0;
  size_t runs = 0;
  const auto reached = UpTo(Lsn{1000 + kBatches}, Lsn{1000 + kBatches}, Lsn{1000 + kBatches});
  while (true) {
    const auto acks = cursors.Take(reached, NoTime, AllCommitted, 1'000'000'000);
    if (acks.empty()) break;
    runs += acks.size();
    for (const auto& run : acks) rows += run.rows();
  }
  EXPECT_EQ(rows, 2 * 4 * kBatches);
  EXPECT_LT(runs, 2 * 4 * kBatches / 100 + 2 * kBatches + 100) << "COMMITTED comes by snapshot";
}

TEST(AckCursors, AClientThatReadsNothingIsHeldABoundedNumberOfRunsFor) {
  AckCursors cursors(kAll, Tier::kCommitted);
  const int64_t writes = static_cast<int64_t>(AckCursor::kMaxRuns) * 3 / 4;
  for (int round = 0; round < 2; ++round) {
    for (int64_t i = 0; i < writes; ++i) cursors.Add(Lsn{1000 + 2 * i}, round > 0);
  }
  const auto acks = cursors.Take(UpTo(Lsn{1000 + 2 * writes}), NoTime, NoCommit, kManyRows);
  EXPECT_EQ(acks.size(), AckCursor::kMaxRuns);
}

// Whatever is sent again in whatever order: every batch gets every wanted tier once, in order,
// never early, and MEMORY comes in the order of the batches.
TEST(AckCursors, EveryBatchIsToldOnceInOrderAndNeverEarly) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::array<bool, 4> wanted = {true, random() % 2 == 0, random() % 2 == 0, true};
    AckCursors cursors(wanted, Tier::kCommitted);
    struct Batch {
      Lsn lsn;
      int told = -1;
      bool long_ago = false;
    };
    std::vector<Batch> batches;
    size_t memory_told = 0;
    std::array<Lsn, 4> reached;
    reached.fill(kNoLsn);
    Lsn last = kNoLsn;
    const CommitLookup commits = [&](Lsn lsn) -> std::optional<CommittedRange> {
      if (lsn > reached[3]) return std::nullopt;
      return CommittedRange{reached[3], 1, 0};
    };
    const auto tell = [&](Lsn lsn, int tier) {
      int before = tier - 1;
      while (before >= 0 && !wanted[before]) --before;
      const auto batch = std::find_if(batches.begin(), batches.end(), [&](const Batch& each) {
        return each.lsn == lsn && each.told == before;
      });
      ASSERT_NE(batch, batches.end()) << "LSN " << lsn << " at tier " << tier;
      batch->told = tier;
      if (tier == 0) {
        ASSERT_EQ(batches[memory_told].lsn, lsn);
        ++memory_told;
      }
    };
    const auto take = [&](int64_t max_rows) {
      const auto acks =
          cursors.Take({{reached[0], reached[1], reached[2]}, {}}, NoTime, commits, max_rows);
      for (const auto& ack : acks) {
        ASSERT_TRUE(wanted[IndexOf(ack.tier)]);
        ASSERT_LE(ack.last, reached[IndexOf(ack.tier)]);
        for (int64_t lsn = ack.first.value; lsn <= ack.last.value; ++lsn) {
          tell(Lsn{lsn}, static_cast<int>(IndexOf(ack.tier)));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    };
    for (int step = 0; step < 300; ++step) {
      switch (random() % 6) {
        case 0:
        case 1:
          if (!cursors.HasRoom()) break;
          last = Lsn{last.value + 1 + static_cast<int64_t>(random() % 3)};
          reached[0] = last;
          batches.push_back({last});
          cursors.Add(last, false);
          break;
        case 2: {
          if (!cursors.HasRoom() || last == kNoLsn) break;
          const Lsn lsn{kFirstLsn.value +
                        static_cast<int64_t>(random() % (last.value - kNoLsn.value))};
          const bool long_ago = lsn <= reached[3] && random() % 2 == 0;
          batches.push_back({lsn, -1, long_ago});
          long_ago ? cursors.AddCommittedLongAgo(lsn) : cursors.Add(lsn, true);
          break;
        }
        case 3: {
          const size_t tier = 1 + random() % 3;
          const auto span = reached[tier - 1].value - kNoLsn.value + 1;
          reached[tier] =
              std::max(reached[tier], Lsn{kNoLsn.value + static_cast<int64_t>(random() % span)});
          break;
        }
        default:
          take(1 + random() % 20);
      }
      if (HasFatalFailure()) return;
    }
    reached.fill(last);
    for (int i = 0; i < 10'000 && !cursors.AllTakenThrough(Tier::kCommitted); ++i) take(100);
    ASSERT_TRUE(cursors.AllTakenThrough(Tier::kCommitted));
    for (const Batch& batch : batches) ASSERT_EQ(batch.told, 3) << "LSN " << batch.lsn;
  }
}

}  // namespace
}  // namespace arka::acks

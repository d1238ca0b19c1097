#include "arka/acks/ack_cursor.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace arka::acks {
namespace {

constexpr std::array<bool, 4> kAll = {true, true, true, true};
constexpr int64_t kManyRows = 1'000'000;

std::optional<CommittedRange> NoCommit(Lsn) { return std::nullopt; }

struct Reached {
  Lsn memory, disk, s3;
  std::array<Lsn, 3> array() const { return {memory, disk, s3}; }
};

TEST(AckCursor, AWatermarkBecomesOneRunPerRunOfLsns) {
  AckCursor cursor(kAll);
  for (int64_t lsn : {1000, 1001, 1002, 1005}) cursor.Add(Lsn{lsn});
  const auto acks =
      cursor.Take(Reached{Lsn{1005}, Lsn{1001}, kNoLsn}.array(), {1, 2, 3, 4}, NoCommit, kManyRows);
  ASSERT_EQ(acks.size(), 3u);
  EXPECT_EQ(acks[0].first, Lsn{1000});
  EXPECT_EQ(acks[0].last, Lsn{1002});
  EXPECT_EQ(acks[0].tier, Tier::kMemory);
  EXPECT_EQ(acks[1].first, Lsn{1005});
  EXPECT_EQ(acks[2].tier, Tier::kLocalDisk);
  EXPECT_EQ(acks[2].last, Lsn{1001});
  EXPECT_EQ(acks[2].timestamp_us, 2);
  EXPECT_EQ(cursor.FirstPending(Tier::kMemory), kNoLsn);
  EXPECT_EQ(cursor.FirstPending(Tier::kLocalDisk), Lsn{1002});
  EXPECT_TRUE(cursor.AllTakenThrough(Tier::kMemory));
  EXPECT_FALSE(cursor.AllTakenThrough(Tier::kLocalDisk));
}

TEST(AckCursor, CommittedRunsNameTheirSnapshots) {
  AckCursor cursor(kAll);
  for (int64_t lsn = 1000; lsn < 1006; ++lsn) cursor.Add(Lsn{lsn});
  const CommitLookup commits = [](Lsn lsn) -> std::optional<CommittedRange> {
    if (lsn <= Lsn{1002}) return CommittedRange{Lsn{1002}, 7, 70};
    if (lsn <= Lsn{1004}) return CommittedRange{Lsn{1004}, 8, 80};
    return std::nullopt;
  };
  const auto acks =
      cursor.Take(Reached{Lsn{1005}, Lsn{1005}, Lsn{1005}}.array(), {}, commits, kManyRows);
  ASSERT_EQ(acks.size(), 5u);
  EXPECT_EQ(acks[3].snapshot_id, 7);
  EXPECT_EQ(acks[3].last, Lsn{1002});
  EXPECT_EQ(acks[4].snapshot_id, 8);
  EXPECT_EQ(acks[4].timestamp_us, 80);
  EXPECT_EQ(cursor.FirstPending(Tier::kCommitted), Lsn{1005});
}

TEST(AckCursor, TheTimesOfOneLsnDoNotFall) {
  AckCursor cursor(kAll);
  for (int64_t lsn = 1000; lsn < 1010; ++lsn) cursor.Add(Lsn{lsn});
  // Since 1005 came to disk at 50, five more were written, the last of them at 60.
  auto acks = cursor.Take(Reached{Lsn{1009}, Lsn{1005}, kNoLsn}.array(), {60, 50, 0, 0}, NoCommit,
                          kManyRows);
  ASSERT_EQ(acks.size(), 3u);
  EXPECT_EQ(acks[0].last, Lsn{1005});
  EXPECT_EQ(acks[0].timestamp_us, 50);
  EXPECT_EQ(acks[1].timestamp_us, 60);
  EXPECT_EQ(acks[2].timestamp_us, 50);
  // The commit of 1002 at 80 is told after more has been uploaded, at 90.
  const CommitLookup commits = [](Lsn lsn) -> std::optional<CommittedRange> {
    if (lsn > Lsn{1002}) return std::nullopt;
    return CommittedRange{Lsn{1002}, 7, 80};
  };
  acks = cursor.Take(Reached{Lsn{1009}, Lsn{1009}, Lsn{1009}}.array(), {60, 70, 90, 0}, commits,
                     kManyRows);
  ASSERT_EQ(acks.back().tier, Tier::kCommitted);
  EXPECT_EQ(acks.back().timestamp_us, 90);
}

TEST(AckCursor, TiersThatNobodyWantsPassInSilence) {
  AckCursor cursor({false, true, false, false});
  cursor.Add(Lsn{1000});
  const auto acks =
      cursor.Take(Reached{Lsn{1000}, Lsn{1000}, Lsn{1000}}.array(), {}, NoCommit, kManyRows);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].tier, Tier::kLocalDisk);
  EXPECT_TRUE(cursor.AllTakenThrough(Tier::kObjectStorage));
}

TEST(AckCursor, ALoneWriterThatReadsNothingStaysOneRun) {
  AckCursor cursor(kAll);
  for (int64_t lsn = 1000; lsn < 1'000'000; ++lsn) cursor.Add(Lsn{lsn});
  const auto acks = cursor.Take(Reached{Lsn{999'999}, kNoLsn, kNoLsn}.array(), {}, NoCommit, 10);
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(acks[0].rows(), 10);
  EXPECT_EQ(cursor.forgotten(), 0);
}

TEST(AckCursor, AnUnreadStreamAmongOthersIsBoundedAndKeepsTheNewest) {
  AckCursor cursor(kAll);
  const int64_t writes = AckCursor::kMaxRuns + 1000;
  for (int64_t i = 0; i < writes; ++i) cursor.Add(Lsn{1000 + 2 * i});
  EXPECT_EQ(cursor.forgotten(), 1000);
  EXPECT_EQ(cursor.FirstPending(Tier::kMemory), Lsn{1000 + 2 * 1000});
}

// Whatever the order of events: every LSN gets every wanted tier once, in order, never early.
TEST(AckCursor, EveryWriteIsToldOnceInOrderAndNeverEarly) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::array<bool, 4> wanted = {random() % 2 == 0, random() % 2 == 0, random() % 2 == 0,
                                        random() % 2 == 0};
    AckCursor cursor(wanted);
    std::map<Lsn, int> told;  // by own LSN: the last tier told
    std::array<Lsn, 4> reached;
    reached.fill(kNoLsn);
    Lsn last = kNoLsn;
    const CommitLookup commits = [&](Lsn lsn) -> std::optional<CommittedRange> {
      if (lsn > reached[3]) return std::nullopt;
      return CommittedRange{reached[3], 1, 0};
    };
    const auto take = [&](int64_t max_rows) {
      const auto acks = cursor.Take({reached[0], reached[1], reached[2]}, {}, commits, max_rows);
      for (const auto& ack : acks) {
        ASSERT_TRUE(wanted[IndexOf(ack.tier)]);
        ASSERT_LE(ack.last, reached[IndexOf(ack.tier)]);
        for (int64_t lsn = ack.first.value; lsn <= ack.last.value; ++lsn) {
          ASSERT_TRUE(told.contains(Lsn{lsn})) << "another stream's LSN " << lsn;
          ASSERT_LT(told[Lsn{lsn}], static_cast<int>(IndexOf(ack.tier)));
          told[Lsn{lsn}] = static_cast<int>(IndexOf(ack.tier));
        }
      }
    };
    for (int step = 0; step < 200; ++step) {
      switch (random() % 4) {
        case 0:
          last = Lsn{last.value + 1 + static_cast<int64_t>(random() % 3)};
          cursor.Add(last);
          told[last] = -1;
          reached[0] = last;
          break;
        case 1: {
          const size_t tier = 1 + random() % 3;
          reached[tier] = std::max(
              reached[tier],
              Lsn{kNoLsn.value +
                  static_cast<int64_t>(random() % (reached[tier - 1].value - kNoLsn.value + 1))});
          break;
        }
        default:
          take(1 + random() % 20);
      }
    }
    reached.fill(last);
    for (int i = 0; i < 10'000 && !cursor.AllTakenThrough(Tier::kCommitted); ++i) take(100);
    ASSERT_TRUE(cursor.AllTakenThrough(Tier::kCommitted));
    int highest_wanted = -1;
    for (Tier tier : kAllTiers) {
      if (wanted[IndexOf(tier)]) highest_wanted = static_cast<int>(IndexOf(tier));
    }
    for (const auto& [lsn, tier] : told) ASSERT_EQ(tier, highest_wanted);
  }
}

}  // namespace
}  // namespace arka::acks

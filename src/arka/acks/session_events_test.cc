#include "arka/acks/session_events.h"

#include <chrono>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace arka::acks {
namespace {

using std::chrono::seconds;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMany = 1'000'000;

std::vector<LsnRun> Runs(int64_t first, int64_t last) { return {{Lsn{first}, Lsn{last}}}; }

class SessionEventsTest : public ::testing::Test {
 protected:
  // LSN n came to a tier at second n - 1000 plus the tier's number.
  static std::optional<int64_t> TimeOf(Tier tier, Lsn lsn) {
    return (lsn.value - 1000 + static_cast<int64_t>(IndexOf(tier))) * kSecond;
  }
  static WallTime At(int64_t second) { return WallTime(seconds(second)); }
  static ReachedTiers All() {
    return {{Lsn{9999}, Lsn{9999}, Lsn{9999}}, {kMany * kSecond, kMany * kSecond, kMany * kSecond}};
  }

  /// By LSN: the tiers that were told, in order.
  static std::map<int64_t, std::vector<Tier>> Told(const std::vector<protocol::AckRun>& events) {
    std::map<int64_t, std::vector<Tier>> told;
    for (const auto& run : events) {
      for (int64_t lsn = run.first.value; lsn <= run.last.value; ++lsn) {
        told[lsn].push_back(run.tier);
      }
    }
    return told;
  }

  ingest::Table table{ingest::TableId{1}, {"a", "t"}, "uuid", "t/data/", nullptr, kNoLsn};
};

TEST_F(SessionEventsTest, OfALiveStreamOnlyWhatIsAboveIsTold) {
  SessionEvents events({{&table, Runs(1000, 1009), kNoLsn, std::nullopt}}, Lsn{1006}, TimeOf);
  const auto told = Told(events.Take(All(), kMany));
  ASSERT_EQ(told.size(), 3u);
  for (const auto& [lsn, tiers] : told) {
    EXPECT_GT(lsn, 1006);
    EXPECT_EQ(tiers, (std::vector{Tier::kMemory, Tier::kLocalDisk, Tier::kObjectStorage}));
  }
  EXPECT_TRUE(events.AllTakenThrough(Tier::kObjectStorage));
  EXPECT_FALSE(events.AllTakenThrough(Tier::kCommitted));
  ASSERT_EQ(events.PendingAt(Tier::kCommitted).size(), 1u);
  EXPECT_EQ(events.PendingAt(Tier::kCommitted)[0].lsn, Lsn{1007});
}

TEST_F(SessionEventsTest, OfAStreamThatEndedWhatCameAfterwardsIsToldTooWithSomeSlack) {
  table.AddCommit({Lsn{1099}, 7, 200 * kSecond});
  // It ended at 60 s; since 50 s: MEMORY of 1050 and above, LOCAL_DISK of 1049, OBJECT_STORAGE
  // 1048.
  SessionEvents events({{&table, Runs(1000, 1099), kNoLsn, At(60)}}, Lsn{1095}, TimeOf);
  auto told = Told(events.Take(All(), kMany));
  ASSERT_EQ(told.size(), 100u);
  EXPECT_EQ(told[1000], std::vector{Tier::kCommitted});
  EXPECT_EQ(told[1047], std::vector{Tier::kCommitted});
  EXPECT_EQ(told[1048], (std::vector{Tier::kObjectStorage, Tier::kCommitted}));
  EXPECT_EQ(told[1049], (std::vector{Tier::kLocalDisk, Tier::kObjectStorage, Tier::kCommitted}));
  EXPECT_EQ(told[1050].size(), 4u);
  EXPECT_EQ(told[1099].size(), 4u);
}

TEST_F(SessionEventsTest, WhatWasCommittedBeforeTheEndIsNotToldAgain) {
  table.AddCommit({Lsn{1004}, 7, 10 * kSecond});
  table.AddCommit({Lsn{1009}, 8, 100 * kSecond});
  SessionEvents events({{&table, Runs(1000, 1009), kNoLsn, At(60)}}, Lsn{1009}, TimeOf);
  const auto told = Told(events.Take(All(), kMany));
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told.begin()->first, 1005);
  EXPECT_EQ(told.begin()->second, std::vector{Tier::kCommitted});
}

TEST_F(SessionEventsTest, TimesAreThoseOfTheLsnsToABlock) {
  SessionEvents events({{&table, Runs(1000, 1999), kNoLsn, std::nullopt}}, kNoLsn, TimeOf);
  for (const auto& run : events.Take(All(), kMany)) {
    const int64_t last = *TimeOf(run.tier, run.last);
    EXPECT_GE(run.timestamp_us, *TimeOf(run.tier, run.first));
    EXPECT_LE(run.timestamp_us, last + 300 * kSecond);
  }
}

TEST_F(SessionEventsTest, WhatWasForgottenIsSaid) {
  const SessionEvents events({{&table, Runs(1500, 1600), Lsn{1400}, std::nullopt}}, kNoLsn, TimeOf);
  EXPECT_EQ(events.forgotten_through(), Lsn{1400});
}

TEST_F(SessionEventsTest, AStreamThatWroteNothingHasNoEvents) {
  SessionEvents events({{nullptr, {}, kNoLsn, At(1)}}, kNoLsn, TimeOf);
  EXPECT_TRUE(events.Take(All(), kMany).empty());
  EXPECT_TRUE(events.AllTakenThrough(Tier::kCommitted));
}

// Whatever is taken when: every LSN gets every tier once, in order, never early.
TEST_F(SessionEventsTest, EveryLsnIsToldOnceInOrderAndNeverEarly) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ingest::Table of_seed{ingest::TableId{1}, {"a", "t"}, "uuid", "t/data/", nullptr, kNoLsn};
    std::vector<SessionWrites> writes(1 + random() % 3);
    Lsn lsn = kNoLsn;
    for (int i = 0; i < 30; ++i) {
      const Lsn first{lsn.value + 1 + static_cast<int64_t>(random() % 5)};
      lsn = Lsn{first.value + static_cast<int64_t>(random() % 400)};
      SessionWrites& of_stream = writes[random() % writes.size()];
      of_stream.table = &of_seed;
      of_stream.runs.push_back({first, lsn});
    }
    size_t expected = 0;
    for (auto& of_stream : writes) {
      for (const LsnRun& run : of_stream.runs) expected += run.last.value - run.first.value + 1;
      // A retry is not told twice.
      if (!of_stream.runs.empty()) of_stream.runs.push_back(of_stream.runs.front());
    }
    SessionEvents events(writes, kNoLsn, TimeOf);
    std::array<Lsn, 3> reached = {lsn, kNoLsn, kNoLsn};
    std::map<int64_t, int> told;
    Lsn committed = kNoLsn;
    for (int step = 0; !events.AllTakenThrough(Tier::kCommitted); ++step) {
      ASSERT_LT(step, 10'000);
      const auto move = [&](Lsn from, Lsn to) {
        const int64_t span = to.value - from.value;
        return Lsn{
            std::min(to.value, from.value + 1 + static_cast<int64_t>(random() % (span + 1)))};
      };
      if (random() % 3 == 0) reached[1] = move(reached[1], reached[0]);
      if (random() % 3 == 0) reached[2] = move(reached[2], reached[1]);
      if (random() % 3 == 0 && committed < reached[2]) {
        committed = move(committed, reached[2]);
        of_seed.AddCommit({committed, 7, 0});
      }
      for (const auto& run : events.Take({reached, {}}, 1 + random() % 2000)) {
        const int tier = static_cast<int>(IndexOf(run.tier));
        ASSERT_LE(run.last, tier == 3 ? committed : reached[tier]);
        for (int64_t each = run.first.value; each <= run.last.value; ++each) {
          ASSERT_EQ(told[each], tier) << "LSN " << each;
          ++told[each];
        }
      }
    }
    ASSERT_EQ(told.size(), expected);
    for (const auto& [each, tiers] : told) ASSERT_EQ(tiers, 4) << "LSN " << each;
  }
}

}  // namespace
}  // namespace arka::acks

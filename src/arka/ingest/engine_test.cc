#include "arka/ingest/engine.h"

#include <future>

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::ingest {
namespace {

using std::chrono::seconds;

TEST(Engine, AWriteReachesEveryTierAndItsRowsAreInTheTable) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders, users;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
  for (int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(orders.Write(*engine, 2 * i, 2).ValueOrDie(), Lsn{1000 + 2 * i});
    EXPECT_EQ(users.Write(*engine, i).ValueOrDie(), Lsn{1001 + 2 * i});
  }
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(200));
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(100));
  const auto commit = orders.target->table->CommitOf(Lsn{1000});
  ASSERT_TRUE(commit.has_value());
  EXPECT_EQ(commit->snapshot_id,
            deployment.catalog_memory.LoadTable(kOrders)->metadata->current_snapshot_id);
}

TEST(Engine, WritesThatTheDiskHasNoRoomForHoldUpNoCommitOfEarlierOnes) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const Lsn first = orders.Write(*engine, 0).ValueOrDie();
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return engine->progress().watermarks.disk_lsn == first; }));
  deployment.disk_faults.Add({.matches = OfKind("write"),
                              .times = kForGood,
                              .error = Error(ErrorCode::kBackpressure, "injected: disk full")});
  const Lsn second = orders.Write(*engine, 1).ValueOrDie();
  ASSERT_TRUE(deployment.PassTimeUntil([&] {
    return engine->progress().watermarks.committed_lsn == first;
  })) << "a commit that waits for the disk keeps the log from making room on it";
  EXPECT_EQ(engine->progress().watermarks.disk_lsn, first);

  deployment.disk_faults.Clear();
  ASSERT_TRUE(deployment.PassTimeUntil(
      [&] { return engine->progress().watermarks.committed_lsn == second; }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(2));
}

TEST(Engine, NothingIsCommittedThatIsNotInTheObjectStore) {
  Deployment deployment;
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const Lsn lsn = orders.Write(*engine, 0).ValueOrDie();
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return engine->progress().watermarks.disk_lsn == lsn; }));
  const SteadyTime soon = deployment.clock.Now() + seconds(5);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return deployment.clock.Now() > soon; }));
  EXPECT_EQ(engine->progress().watermarks.s3_lsn, kNoLsn);
  EXPECT_EQ(engine->progress().watermarks.committed_lsn, kNoLsn);
  EXPECT_GT(engine->status().lag_seconds, 1);
  EXPECT_NE(engine->status().problem.find("injected fault"), std::string::npos);

  deployment.object_faults.Clear();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
  EXPECT_EQ(engine->status().problem, "");
  EXPECT_EQ(engine->status().lag_seconds, 0);
}

TEST(Engine, WhatWasOnDiskSurvivesAPowerLossExactlyOnce) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Deployment deployment(seed);
    int64_t durable = 0;
    {
      auto engine = deployment.StartEngine();
      IdStream orders;
      ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
      for (int64_t i = 0; i < 50; ++i) ASSERT_THAT(orders.Write(*engine, i), IsOk());
      ASSERT_TRUE(deployment.PassTimeUntil(
          [&] { return engine->progress().watermarks.disk_lsn >= Lsn{1000 + 20}; }));
      durable = engine->progress().watermarks.disk_lsn.value - 999;
      if (seed % 3 == 0) {  // some with a commit behind them, some without
        ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
        durable = 50;
      }
      // From here on nothing reaches the disk any more; the process ends.
      deployment.disk_faults.Add({.times = kForGood});
    }
    deployment.disk_faults.Clear();
    deployment.disk.LosePower(seed,
                              seed % 2 == 0 ? PowerLoss::kDropUnsynced : PowerLoss::kTearSectors);
    auto engine = deployment.StartEngine();
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    const auto ids = deployment.ReadIds(kOrders);
    EXPECT_GE(static_cast<int64_t>(ids.size()), durable);
    EXPECT_EQ(ids, EachOnce(static_cast<int64_t>(ids.size())));

    IdStream again;  // and no LSN is given twice
    ASSERT_THAT(again.Open(*engine, kOrders), IsOk());
    EXPECT_GT(again.Write(*engine, 1000).ValueOrDie(), Lsn{1049});
  }
}

TEST(Engine, ACommitWhoseAnswerWasLostIsNotMadeTwice) {
  Deployment deployment;
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"),
                                 .times = 2,
                                 .effect = Effect::kFull,
                                 .error = Error(ErrorCode::kCommitUnknown, "answer lost")});
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  for (int64_t i = 0; i < 10; ++i) ASSERT_THAT(orders.Write(*engine, i), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(10));
}

TEST(Engine, EveryOperationOfStoresAndCatalogMayFailOnceBeforeOrAfterItsEffect) {
  struct Edge {
    FaultPlan Deployment::*plan;
    ErrorCode code;
  };
  for (const Edge edge : {Edge{&Deployment::object_faults, ErrorCode::kIoFailed},
                          Edge{&Deployment::warehouse_faults, ErrorCode::kIoFailed},
                          Edge{&Deployment::catalog_faults, ErrorCode::kCommitUnknown},
                          Edge{&Deployment::catalog_faults, ErrorCode::kCommitConflict}}) {
    for (const Effect effect : {Effect::kNone, Effect::kFull}) {
      if (edge.code == ErrorCode::kCommitConflict && effect == Effect::kFull) continue;
      for (int64_t nth = 1; nth < 200; ++nth) {
        SCOPED_TRACE(nth);
        Deployment deployment(nth);
        auto engine = deployment.StartEngine();
        IdStream orders;
        ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
        FaultPlan& plan = deployment.*edge.plan;
        plan.Add({.nth = nth, .effect = effect, .error = Error(edge.code, "injected fault")});
        for (int64_t round = 0; round < 3; ++round) {
          for (int64_t i = 0; i < 5; ++i) {
            ASSERT_THAT(orders.Write(*engine, round * 5 + i), IsOk());
          }
          ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
        }
        ASSERT_EQ(deployment.ReadIds(kOrders), EachOnce(15));
        if (!plan.fired()) break;
      }
    }
  }
}

TEST(Engine, AFailedSyncStopsEveryAckAndARestartGoesOn) {
  Deployment deployment;
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(orders.Write(*engine, 0), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    deployment.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
    const auto refused = orders.Write(*engine, 1);
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return engine->progress().failed; }));
    EXPECT_EQ(engine->progress().watermarks.disk_lsn, Lsn{1000});
    EXPECT_FALSE(engine->status().ready);
    EXPECT_FALSE(orders.Write(*engine, 2).ok());
  }
  deployment.disk_faults.Clear();
  auto engine = deployment.StartEngine();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_GE(deployment.ReadIds(kOrders).size(), 1u);
}

TEST(Engine, MemoryIsRefusedAtItsBoundAndGivenAgain) {
  Deployment deployment;
  deployment.options.max_unflushed_bytes = 1 << 20;
  deployment.options.max_buffer_bytes = 256 << 10;
  auto made = deployment.MakeEngine();
  ASSERT_THAT(made, IsOk());
  auto engine = std::move(*made);  // started at the first refusal: nobody frees memory before it
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  constexpr int64_t kRows = 10'000;
  int64_t written = 0;
  int refusals = 0;
  while (written < 100) {
    const auto lsn = orders.Write(*engine, written * kRows, kRows);
    if (lsn.ok()) {
      ++written;
      continue;
    }
    ASSERT_THAT(lsn, FailsWith(ErrorCode::kBackpressure));
    if (++refusals == 1) engine->Start();
    std::atomic<bool> told = false;
    const auto ticket = engine->turns()->Join([&] { told = true; });
    EXPECT_THAT(orders.Write(*engine, 0), FailsWith(ErrorCode::kBackpressure)) << "an overtaker";
    ASSERT_TRUE(deployment.PassTimeUntil([&] {
      if (!told.exchange(false)) return false;
      const auto again = orders.Write(*engine, written * kRows, kRows, ticket);
      return again.ok();
    }));
    engine->turns()->Leave(ticket, /*refused=*/false);
    ++written;
  }
  EXPECT_GT(refusals, 0);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders).size(), static_cast<size_t>(100 * kRows));
}

TEST(Engine, ManySmallTablesThatFillTheMemoryTogetherDoNotWaitForTheCommit) {
  Deployment deployment;
  deployment.options.max_unflushed_bytes = 4 << 20;
  deployment.options.max_buffer_bytes = 64 << 20;  // no buffer of one table ever fills
  deployment.options.commit_interval = std::chrono::hours(100'000);
  auto engine = deployment.StartEngine();
  std::vector<IdStream> streams(4);
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(streams[i].Open(*engine, {"arka", "t" + std::to_string(i)}), IsOk());
  }
  for (int64_t written = 0; written < 200; ++written) {
    IdStream& stream = streams[written % 4];
    ASSERT_TRUE(deployment.PassTimeUntil(
        [&] { return stream.Write(*engine, written * 10'000, 10'000).ok(); }));
  }
  EXPECT_EQ(engine->progress().commits, 0);
}

TEST(Engine, ACatalogThatHangsOnOneTableDelaysNoOtherNorMemoryNorTheDrain) {
  Deployment deployment;
  deployment.options.max_unflushed_bytes = 1 << 20;
  deployment.options.max_buffer_bytes = 256 << 10;
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<bool> hangs = false;
  deployment.catalog_faults.Observe([&](FaultPlan::Moment moment, const Operation& operation) {
    if (moment != FaultPlan::Moment::kBefore || operation.kind != "commit_table") return;
    if (operation.target != kOrders.ToString()) return;
    hangs = true;
    released.wait();
  });
  auto engine = deployment.StartEngine();
  IdStream orders, users;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return hangs.load(); }));

  // More than the memory takes, into both; and the other table commits.
  constexpr int64_t kRows = 10'000;
  for (int64_t i = 0; i < 30; ++i) {
    for (IdStream* stream : {&orders, &users}) {
      ASSERT_TRUE(deployment.PassTimeUntil(
          [&] { return stream->Write(*engine, 1 + i * kRows, kRows).ok(); }));
    }
  }
  const Lsn last = engine->progress().watermarks.last_lsn;
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return users.target->table->committed_through() == last; }));
  EXPECT_EQ(orders.target->table->committed_through(), kNoLsn);
  auto drained = std::async([&] { return engine->Drain(seconds(5)); });
  ASSERT_TRUE(deployment.PassTimeUntil(
      [&] { return drained.wait_for(seconds(0)) == std::future_status::ready; }));
  EXPECT_THAT(drained.get(), FailsWith(ErrorCode::kTimedOut));

  release.set_value();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1 + 30 * kRows));
}

TEST(Engine, ZeroRowWritesMoveTheWatermarksWithoutASnapshot) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.catalog_memory.LoadTable(kOrders)->metadata->current_snapshot(), nullptr);
}

TEST(Engine, WhatAZeroRowWriteHadReachedIsNotTakenBackByARestart) {
  Deployment deployment;
  for (int start = 0; start < 2; ++start) {
    auto engine = deployment.StartEngine();
    if (start == 1) {
      EXPECT_EQ(engine->progress().watermarks.committed_lsn, Lsn{1000});
    }
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    if (start == 0) {
      ASSERT_THAT(orders.Write(*engine, 0, 0), IsOk());
    }
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  }
}

TEST(Engine, ATableThatIsGoneKeepsItsWritesInTheLogAndOthersGoOn) {
  Deployment deployment;
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  {
    auto engine = deployment.StartEngine();
    IdStream orders, users;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
    ASSERT_THAT(orders.Write(*engine, 0), IsOk());
    const Lsn last = users.Write(*engine, 0).ValueOrDie();
    ASSERT_TRUE(
        deployment.PassTimeUntil([&] { return engine->progress().watermarks.disk_lsn == last; }));
  }
  deployment.object_faults.Clear();
  ASSERT_THAT(deployment.catalog_memory.DropTable(kOrders), IsOk());
  auto engine = deployment.StartEngine();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return !deployment.ReadIds(kUsers).empty(); }));
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(1));
  EXPECT_LT(engine->progress().watermarks.committed_lsn, Lsn{1000});
}

}  // namespace
}  // namespace arka::ingest

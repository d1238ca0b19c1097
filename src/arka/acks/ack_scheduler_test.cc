#include "arka/acks/ack_scheduler.h"

#include <functional>
#include <utility>

#include <gtest/gtest.h>

namespace arka::acks {
namespace {

class SleeperSpy : public Sleeper {
 public:
  explicit SleeperSpy(AckScheduler& scheduler) : scheduler_(scheduler), id(scheduler.Add(*this)) {}
  ~SleeperSpy() override { scheduler_.Remove(id); }

  void Wake(const ingest::Progress& progress) override {
    ++wakes;
    if (on_wake) on_wake();
  }
  void Shutdown() override { ++shutdowns; }

 private:
  AckScheduler& scheduler_;

 public:
  const AckScheduler::SleeperId id;
  int wakes = 0;
  int shutdowns = 0;
  std::function<void()> on_wake;
};

ingest::Progress At(int64_t disk, int64_t s3 = kNoLsn.value, int64_t commits = 0) {
  ingest::Progress progress;
  progress.watermarks = {Lsn{2000}, Lsn{disk}, Lsn{s3}, kNoLsn};
  progress.commits = commits;
  return progress;
}

ingest::Table SomeTable(uint32_t id) {
  return ingest::Table(ingest::TableId{id}, {"sales", "orders"}, "uuid", "data/", nullptr, kNoLsn);
}

TEST(AckScheduler, AWatermarkWakesThoseItConcernsOnce) {
  AckScheduler scheduler;
  SleeperSpy early(scheduler), late(scheduler), other_tier(scheduler), idle(scheduler);
  scheduler.Await(early.id, Tier::kLocalDisk, Lsn{1005}, nullptr);
  scheduler.Await(late.id, Tier::kLocalDisk, Lsn{1006}, nullptr);
  scheduler.Await(other_tier.id, Tier::kObjectStorage, Lsn{1001}, nullptr);

  scheduler.OnProgress(At(1004));
  EXPECT_EQ(early.wakes, 0);
  scheduler.OnProgress(At(1005));
  scheduler.OnProgress(At(1005));
  EXPECT_EQ(early.wakes, 1);
  EXPECT_EQ(late.wakes, 0);
  scheduler.OnProgress(At(1007, 1001));
  EXPECT_EQ(early.wakes, 1);
  EXPECT_EQ(late.wakes, 1);
  EXPECT_EQ(other_tier.wakes, 1);
  EXPECT_EQ(idle.wakes, 0);
}

TEST(AckScheduler, OneThatWaitsForTwoTiersAtOnceIsWokenOnceForBoth) {
  AckScheduler scheduler;
  SleeperSpy sleeper(scheduler);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  scheduler.Await(sleeper.id, Tier::kObjectStorage, Lsn{1001}, nullptr);
  scheduler.OnProgress(At(1001, 1001));
  EXPECT_EQ(sleeper.wakes, 1);
}

TEST(AckScheduler, ASecondWaitForATierCountsOnceTheFirstHasWoken) {
  AckScheduler scheduler;
  SleeperSpy sleeper(scheduler);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1003}, nullptr);
  scheduler.OnProgress(At(1000));
  EXPECT_EQ(sleeper.wakes, 0);
  scheduler.OnProgress(At(1003));
  EXPECT_EQ(sleeper.wakes, 1);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1004}, nullptr);
  scheduler.OnProgress(At(1004));
  EXPECT_EQ(sleeper.wakes, 2);
}

TEST(AckScheduler, ACommitWakesThoseOfItsTable) {
  AckScheduler scheduler;
  ingest::Table orders = SomeTable(1), users = SomeTable(2);
  SleeperSpy of_orders(scheduler), of_users(scheduler);
  scheduler.Await(of_orders.id, Tier::kCommitted, Lsn{1001}, &orders);
  scheduler.Await(of_users.id, Tier::kCommitted, Lsn{1000}, &users);
  orders.AddCommit({Lsn{1001}, 7, 0});
  scheduler.OnProgress(At(1001, 1001, 1));
  EXPECT_EQ(of_orders.wakes, 1);
  EXPECT_EQ(of_users.wakes, 0);
  users.AddCommit({Lsn{1000}, 8, 0});
  scheduler.OnProgress(At(1001, 1001, 2));
  EXPECT_EQ(of_users.wakes, 1);
}

TEST(AckScheduler, AWaitForALowerLsnIsNotLostBehindAHigherOne) {
  AckScheduler scheduler;
  SleeperSpy sleeper(scheduler);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1005}, nullptr);
  scheduler.Await(sleeper.id, Tier::kLocalDisk, Lsn{1002}, nullptr);
  scheduler.OnProgress(At(1003));
  EXPECT_EQ(sleeper.wakes, 1);
  scheduler.OnProgress(At(1005));
  EXPECT_EQ(sleeper.wakes, 2);
}

TEST(AckScheduler, OneSleeperMayWaitForTheCommitsOfManyTables) {
  AckScheduler scheduler;
  ingest::Table orders = SomeTable(1), users = SomeTable(2);
  SleeperSpy sleeper(scheduler);
  scheduler.Await(sleeper.id, Tier::kCommitted, Lsn{1000}, &orders);
  scheduler.Await(sleeper.id, Tier::kCommitted, Lsn{1001}, &users);
  users.AddCommit({Lsn{1001}, 7, 0});
  scheduler.OnProgress(At(1001, 1001, 1));
  EXPECT_EQ(sleeper.wakes, 1);
  orders.AddCommit({Lsn{1000}, 8, 0});
  scheduler.OnProgress(At(1001, 1001, 2));
  EXPECT_EQ(sleeper.wakes, 2);
}

TEST(AckScheduler, AFailedLogWakesEverybody) {
  AckScheduler scheduler;
  SleeperSpy waiting(scheduler), idle(scheduler);
  scheduler.Await(waiting.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  ingest::Progress failed = At(1000);
  failed.failed = true;
  scheduler.OnProgress(failed);
  EXPECT_EQ(waiting.wakes, 1);
  EXPECT_EQ(idle.wakes, 1);
}

TEST(AckScheduler, ASleeperThatIsGoneIsNotWoken) {
  AckScheduler scheduler;
  SleeperSpy stays(scheduler);
  AckScheduler::SleeperId gone_id = 0;
  {
    SleeperSpy gone(scheduler);
    gone_id = gone.id;
    scheduler.Await(gone.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  }
  scheduler.Await(stays.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  EXPECT_EQ(scheduler.Find(gone_id), nullptr);
  EXPECT_EQ(scheduler.Find(stays.id), &stays);
  scheduler.OnProgress(At(1001));
  EXPECT_EQ(stays.wakes, 1);
}

TEST(AckScheduler, WhoeverIsWokenMayWaitAgainAddAndRemoveSleepers) {
  AckScheduler scheduler;
  SleeperSpy first(scheduler);
  auto second = std::make_unique<SleeperSpy>(scheduler);
  std::unique_ptr<SleeperSpy> third;
  scheduler.Await(first.id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  scheduler.Await(second->id, Tier::kLocalDisk, Lsn{1001}, nullptr);
  first.on_wake = [&] {
    scheduler.Await(first.id, Tier::kLocalDisk, Lsn{1002}, nullptr);
    second.reset();
    third = std::make_unique<SleeperSpy>(scheduler);
  };
  scheduler.OnProgress(At(1001));
  EXPECT_EQ(first.wakes, 1);
  first.on_wake = {};
  scheduler.OnProgress(At(1002));
  EXPECT_EQ(first.wakes, 2);
  EXPECT_EQ(third->wakes, 0);

  int seen = 0;
  scheduler.ForEach([&](Sleeper& sleeper) {
    ++seen;
    sleeper.Shutdown();
    third.reset();
  });
  EXPECT_LE(seen, 2);
  EXPECT_EQ(first.shutdowns, 1);
}

}  // namespace
}  // namespace arka::acks

// The engine with more writes than memory: what is in the log only is read back, once and in order.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"
#include "arka/ingest/engine.h"

namespace arka::ingest {
namespace {

using std::chrono::seconds;

constexpr int64_t kRows = 2'500;             // 20 KB
constexpr int64_t kMemoryBytes = 256 << 10;  // a dozen writes

class EngineBacklog : public ::testing::Test {
 protected:
  // Of seed `seed`: what it is made with counts as random, too.
  void Prepare(uint64_t seed) {
    deployment_ = std::make_unique<Deployment>(seed);
    deployment_->options.max_unflushed_bytes = kMemoryBytes;
    deployment_->options.max_buffer_bytes = 64 << 10;
  }
  void StoreIsAway() {
    deployment_->warehouse_faults.Add({.matches = OfKind("put"), .times = kForGood});
  }

  // Waits for room as long as it takes; notes the most memory that was in use.
  void Write(Engine& engine, IdStream& stream, int64_t* next, int64_t rows = kRows) {
    ASSERT_TRUE(deployment_->PassTimeUntil([&] {
      const auto lsn = stream.Write(engine, *next, rows);
      most_ = std::max(most_, engine.status().write_memory_bytes);
      if (lsn.ok()) *next += rows;
      return lsn.ok();
    }));
  }
  void AwaitDisk(Engine& engine) {
    ASSERT_TRUE(deployment_->PassTimeUntil([&] {
      const auto watermarks = engine.progress().watermarks;
      return watermarks.disk_lsn == watermarks.last_lsn;
    }));
  }

  std::unique_ptr<Deployment> deployment_;
  int64_t most_ = 0;
};

TEST_F(EngineBacklog, AStoreThatIsAwayFillsTheDiskAndNotTheMemory) {
  Prepare(1);
  auto engine = deployment_->StartEngine();
  IdStream orders, users;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
  StoreIsAway();
  int64_t ordered = 0, used = 0;
  for (int i = 0; i < 75; ++i) {  // 3 MB in all
    Write(*engine, orders, &ordered);
    Write(*engine, users, &used);
  }
  AwaitDisk(*engine);
  EXPECT_LE(most_, kMemoryBytes);
  EXPECT_GT(engine->status().backlog_bytes, 10 * kMemoryBytes);
  EXPECT_LE(engine->status().write_memory_bytes, kMemoryBytes);
  EXPECT_EQ(engine->progress().commits, 0);

  deployment_->warehouse_faults.Clear();
  ASSERT_TRUE(deployment_->PassTimeUntil([&] {
    most_ = std::max(most_, engine->status().write_memory_bytes);
    return AllCommitted(*engine);
  }));
  EXPECT_LE(most_, kMemoryBytes + kMemoryBytes / 8);
  EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
  EXPECT_EQ(deployment_->ReadIds(kUsers), EachOnce(used));
  EXPECT_EQ(engine->status().backlog_bytes, 0);
  ASSERT_TRUE(deployment_->PassTimeUntil([&] { return engine->status().write_memory_bytes == 0; }));
}

TEST_F(EngineBacklog, AStoreThatIsAwayKeepsNoLargeWriteFromTheDisk) {
  Prepare(1);
  auto engine = deployment_->StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  StoreIsAway();
  int64_t ordered = 0;
  for (int i = 0; i < 40; ++i) Write(*engine, orders, &ordered);
  constexpr int64_t kManyRows = 20'000;  // more than what the rows in memory leave room for
  for (int i = 0; i < 5; ++i) Write(*engine, orders, &ordered, kManyRows);
  AwaitDisk(*engine);
  EXPECT_LE(most_, kMemoryBytes / 8 * 5 + 8 * kManyRows + 4096);
  deployment_->warehouse_faults.Clear();
  ASSERT_TRUE(deployment_->PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
}

TEST_F(EngineBacklog, ACrashInTheMiddleOfOneLosesNothingAndRepeatsNothing) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Prepare(seed);
    std::mt19937_64 random(seed);
    int64_t ordered = 0;
    {
      auto engine = deployment_->StartEngine();
      IdStream orders;
      ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
      StoreIsAway();
      for (int i = 0; i < 40; ++i) Write(*engine, orders, &ordered);
      AwaitDisk(*engine);
      deployment_->warehouse_faults.Clear();
      // Somewhere while it is read back, and perhaps committed in part.
      const int64_t left = static_cast<int64_t>(random() % (3 * kMemoryBytes));
      ASSERT_TRUE(
          deployment_->PassTimeUntil([&] { return engine->status().backlog_bytes <= left; }));
      deployment_->disk_faults.Add({.times = kForGood});
    }
    deployment_->disk_faults.Clear();
    deployment_->disk.LosePower(seed, PowerLoss::kDropUnsynced);
    auto engine = deployment_->StartEngine();
    ASSERT_TRUE(deployment_->PassTimeUntil([&] {
      EXPECT_LE(engine->status().write_memory_bytes, kMemoryBytes);
      return AllCommitted(*engine);
    }));
    EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
  }
}

TEST_F(EngineBacklog, IsEnteredAndLeftTimeAndAgainWithoutALossOrARepetition) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Prepare(seed);
    std::mt19937_64 random(seed);
    auto engine = deployment_->StartEngine();
    IdStream orders, users;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
    int64_t ordered = 0, used = 0;
    for (int step = 0; step < 120; ++step) {
      switch (random() % 8) {
        case 0:
          StoreIsAway();
          break;
        case 1:
          deployment_->warehouse_faults.Clear();
          break;
        case 2: {
          const SteadyTime soon = deployment_->clock.Now() + seconds(2);
          ASSERT_TRUE(deployment_->PassTimeUntil([&] { return deployment_->clock.Now() > soon; }));
          break;
        }
        default:
          Write(*engine, orders, &ordered, static_cast<int64_t>(random() % (2 * kRows)));
          Write(*engine, users, &used, 1);
      }
    }
    deployment_->warehouse_faults.Clear();
    ASSERT_TRUE(deployment_->PassTimeUntil([&] { return AllCommitted(*engine); }));
    EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
    EXPECT_EQ(deployment_->ReadIds(kUsers), EachOnce(used));
    EXPECT_LE(most_, kMemoryBytes + kMemoryBytes / 4);
  }
}

TEST_F(EngineBacklog, AStopWaitsUntilItIsReadAndCommitted) {
  Prepare(1);
  deployment_->options.commit_interval = std::chrono::hours(1000);
  auto engine = deployment_->StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  StoreIsAway();
  int64_t ordered = 0;
  for (int i = 0; i < 40; ++i) Write(*engine, orders, &ordered);
  AwaitDisk(*engine);
  deployment_->warehouse_faults.Clear();
  auto drained =
      std::async(std::launch::async, [&] { return engine->Drain(std::chrono::hours(10'000)); });
  ASSERT_TRUE(deployment_->PassTimeUntil(
      [&] { return drained.wait_for(seconds(0)) == std::future_status::ready; }));
  EXPECT_THAT(drained.get(), IsOk());
  EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
}

TEST_F(EngineBacklog, ALogThatCannotBeReadBackSaysSoAndGoesOnWhenItCan) {
  Prepare(1);
  auto engine = deployment_->StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  StoreIsAway();
  int64_t ordered = 0;
  for (int i = 0; i < 40; ++i) Write(*engine, orders, &ordered);
  AwaitDisk(*engine);
  ASSERT_TRUE(deployment_->PassTimeUntil([&] {
    const auto watermarks = engine->progress().watermarks;
    return watermarks.s3_lsn == watermarks.last_lsn;  // the uploader reads the log as well
  }));
  deployment_->disk_faults.Add({.matches = OfKind("read"), .times = kForGood});
  deployment_->warehouse_faults.Clear();
  ASSERT_TRUE(deployment_->PassTimeUntil(
      [&] { return engine->status().problem.find("reading the backlog") != std::string::npos; }));
  deployment_->disk_faults.Clear();
  ASSERT_TRUE(deployment_->PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment_->ReadIds(kOrders), EachOnce(ordered));
}

}  // namespace
}  // namespace arka::ingest

// Exactly once, seen through the engine: what a producer resends is in its table once, whatever
// happened in between.
#include <thread>

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::ingest {
namespace {

std::shared_ptr<Producer> OpenProducer(Engine& engine, const IdStream& stream,
                                       const std::string& name = "p") {
  auto opened = engine.OpenProducer(*stream.target, name);
  EXPECT_THAT(opened, IsOk());
  return *opened;
}

TEST(EngineProducer, TheSameSeqTenTimesIsOneWriteAndTakesNoMemory) {
  Deployment deployment;
  deployment.options.max_unflushed_bytes = 1 << 20;
  auto made = deployment.MakeEngine();  // no loop runs yet that would give memory back
  ASSERT_THAT(made, IsOk());
  auto engine = std::move(*made);
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const auto producer = OpenProducer(*engine, orders);
  const auto first = orders.WriteOnce(*engine, *producer, 1, 0);
  ASSERT_THAT(first, IsOk());
  EXPECT_FALSE(first->is_retry);
  while (orders.Write(*engine, 1'000'000, 1000).ok()) continue;  // until memory is used up,
  while (orders.Write(*engine, 1'000'000, 1).ok()) continue;     // to the last byte
  for (int again = 0; again < 10; ++again) {
    const auto retry = orders.WriteOnce(*engine, *producer, 1, 0);
    ASSERT_THAT(retry, IsOk());
    EXPECT_TRUE(retry->is_retry);
    EXPECT_FALSE(retry->committed_long_ago);
    EXPECT_EQ(retry->lsn, first->lsn);
  }
  EXPECT_THAT(orders.WriteOnce(*engine, *producer, 2, 0), FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(orders.WriteOnce(*engine, *producer, 3, 0), FailsWith(ErrorCode::kInvalidRequest));
  engine->Start();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders)[0], 1);
  EXPECT_TRUE(orders.WriteOnce(*engine, *producer, 1, 0)->is_retry);
}

TEST(EngineProducer, TwoStreamsThatSendTheSameSeqsAtOnceWriteEachOnce) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  std::array<IdStream, 2> streams;
  for (IdStream& stream : streams) ASSERT_THAT(stream.Open(*engine, kOrders), IsOk());
  constexpr int64_t kWrites = 300;
  std::array<std::vector<Lsn>, 2> lsns;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < streams.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto producer = OpenProducer(*engine, streams[i]);
        for (int64_t seq = 1; seq <= kWrites; ++seq) {
          const auto admitted = streams[i].WriteOnce(*engine, *producer, seq, seq - 1);
          ASSERT_THAT(admitted, IsOk());
          lsns[i].push_back(admitted->lsn);
        }
      });
    }
  }
  EXPECT_EQ(lsns[0], lsns[1]);
  EXPECT_EQ(engine->progress().watermarks.last_lsn, Lsn{1000 + kWrites - 1});
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(kWrites));
}

TEST(EngineProducer, TellsWhereAProducerIsToGoOn) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders;
  EXPECT_THAT(engine->LastSeqOf(kOrders, "p"), FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  EXPECT_EQ(engine->LastSeqOf(kOrders, "p")->seq, 0);
  const auto producer = OpenProducer(*engine, orders);
  for (int64_t seq = 1; seq <= 3; ++seq) {
    ASSERT_THAT(orders.WriteOnce(*engine, *producer, seq, seq), IsOk());
  }
  const auto last = engine->LastSeqOf(kOrders, "p");
  ASSERT_THAT(last, IsOk());
  EXPECT_EQ(last->seq, 3);
  EXPECT_EQ(last->lsn, Lsn{1002});

  const auto find = [&](const iceberg::TableIdentifier& table) {
    std::promise<Result<LastSeq>> found;
    engine->FindLastSeq(table, "p", [&](auto result) { found.set_value(result); });
    return found.get_future().get();
  };
  EXPECT_EQ(find(kOrders)->seq, 3);
  EXPECT_THAT(find(kUsers), FailsWith(ErrorCode::kNotFound));
}

TEST(EngineProducer, WhatAPowerLossLeftIsARetryAndWhatItTookIsNew) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Deployment deployment(seed);
    constexpr int64_t kWrites = 50;
    std::vector<Lsn> lsns;
    Lsn durable;
    {
      auto engine = deployment.StartEngine();
      IdStream orders;
      ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
      const auto producer = OpenProducer(*engine, orders);
      for (int64_t i = 0; i < kWrites; ++i) {
        const auto admitted = orders.WriteOnce(*engine, *producer, i + 1, i);
        ASSERT_THAT(admitted, IsOk());
        lsns.push_back(admitted->lsn);
      }
      const Lsn enough = seed % 2 == 0 ? Lsn{1020} : Lsn{1000};
      ASSERT_TRUE(deployment.PassTimeUntil(
          [&] { return engine->progress().watermarks.disk_lsn >= enough; }));
      durable = engine->progress().watermarks.disk_lsn;
      deployment.disk_faults.Add({.times = kForGood});
    }
    deployment.disk_faults.Clear();
    deployment.disk.LosePower(seed, PowerLoss::kTearSectors);
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    const auto producer = OpenProducer(*engine, orders);
    const Lsn last = engine->progress().watermarks.last_lsn;
    for (int64_t i = 0; i < kWrites; ++i) {
      const auto admitted = orders.WriteOnce(*engine, *producer, i + 1, i);
      ASSERT_THAT(admitted, IsOk());
      EXPECT_EQ(admitted->is_retry, lsns[i] <= last);
      if (admitted->is_retry) {
        EXPECT_EQ(admitted->lsn, lsns[i]);
      } else {
        EXPECT_GT(lsns[i], durable);
      }
    }
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(kWrites));
  }
}

}  // namespace
}  // namespace arka::ingest

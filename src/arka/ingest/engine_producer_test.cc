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

ProducerClaim Claim(Engine& engine, const iceberg::TableIdentifier& table = kOrders) {
  std::promise<Result<ProducerClaim>> claimed;
  engine.ClaimProducer(table, "p", [&](auto result) { claimed.set_value(result); });
  const auto claim = claimed.get_future().get();
  EXPECT_THAT(claim, IsOk());
  return *claim;
}

// The program of before is dead, or believes itself alive; its batches are still on the way.
TEST(EngineProducer, WhatAnEarlierProgramSendsAfterAClaimIsRefusedAndCostsTheLaterOneNothing) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream earlier, later;
  ASSERT_THAT(earlier.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(later.Open(*engine, kOrders), IsOk());
  const auto dead = OpenProducer(*engine, earlier);
  ASSERT_THAT(earlier.WriteOnce(*engine, *dead, 1, 0), IsOk());
  const ProducerClaim claim = Claim(*engine);
  EXPECT_EQ(claim.last.seq, 1);
  EXPECT_EQ(claim.last.lsn, Lsn{1000});
  const auto living = engine->OpenProducer(*later.target, "p", claim.epoch);
  ASSERT_THAT(living, IsOk());
  EXPECT_THAT(earlier.WriteOnce(*engine, *dead, 2, 100), FailsWith(ErrorCode::kFailedPrecondition));
  const auto written = later.WriteOnce(*engine, **living, 2, 1, claim.epoch);
  ASSERT_THAT(written, IsOk());
  EXPECT_FALSE(written->is_retry);
  EXPECT_THAT(earlier.WriteOnce(*engine, *dead, 2, 100), FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(earlier.WriteOnce(*engine, *dead, 3, 101), FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(engine->OpenProducer(*earlier.target, "p"),
              FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(engine->OpenProducer(*later.target, "p", claim.epoch + 1),
              FailsWith(ErrorCode::kInvalidRequest));
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(2));
}

TEST(EngineProducer, AClaimOutlivesTheServerOnceSomethingWasWrittenUnderIt) {
  Deployment deployment;
  ProducerClaim claim;
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    claim = Claim(*engine);
    const auto producer = engine->OpenProducer(*orders.target, "p", claim.epoch);
    ASSERT_THAT(producer, IsOk());
    ASSERT_THAT(orders.WriteOnce(*engine, **producer, 1, 0, claim.epoch), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  }
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  EXPECT_THAT(engine->OpenProducer(*orders.target, "p"), FailsWith(ErrorCode::kFailedPrecondition));
  const auto producer = engine->OpenProducer(*orders.target, "p", claim.epoch);
  ASSERT_THAT(producer, IsOk());
  EXPECT_TRUE(orders.WriteOnce(*engine, **producer, 1, 0, claim.epoch)->is_retry);
}

// A restart forgets the claim of a program that wrote nothing under it. The program of before may
// then write again; the later one is told, and never taken for it.
TEST(EngineProducer, AClaimThatARestartTookIsAnErrorAndNoLostWrite) {
  Deployment deployment;
  ProducerClaim claim;
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    const auto earlier = OpenProducer(*engine, orders);
    ASSERT_THAT(orders.WriteOnce(*engine, *earlier, 1, 0), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    claim = Claim(*engine);
  }
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const auto earlier = OpenProducer(*engine, orders);
  ASSERT_THAT(orders.WriteOnce(*engine, *earlier, 2, 1), IsOk());
  const auto later = engine->OpenProducer(*orders.target, "p", claim.epoch);
  ASSERT_THAT(later, IsOk());
  EXPECT_THAT(orders.WriteOnce(*engine, **later, 2, 100, claim.epoch),
              FailsWith(ErrorCode::kFailedPrecondition));
  EXPECT_THAT(orders.WriteOnce(*engine, *earlier, 3, 2), FailsWith(ErrorCode::kFailedPrecondition));
  const ProducerClaim again = Claim(*engine);
  EXPECT_EQ(again.last.seq, 2);
  EXPECT_THAT(orders.WriteOnce(*engine, **later, 3, 2, again.epoch), IsOk());
}

TEST(EngineProducer, NoEpochIsGivenTwiceWhateverBecomesOfTheServer) {
  Deployment deployment;
  int64_t highest = 0;
  for (int start = 0; start < 3; ++start) {
    auto engine = deployment.StartEngine();  // nothing is written between two starts
    for (int i = 0; i < 3; ++i) {
      const ProducerClaim claim = Claim(*engine, kUsers);  // which is not there
      EXPECT_GT(claim.epoch, highest);
      EXPECT_EQ(claim.last.seq, 0);
      highest = claim.epoch;
    }
  }
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

// Three rounds of two producers' writes, each seen committed and the log let go of behind it; then
// the end, as the caller has it.
struct Rounds {
  static constexpr int64_t kRounds = 3, kWrites = 4;

  // Writes what is missing, and sends what was written before again. Answers whether all worked;
  // gives up soon where `may_stall`.
  static bool Run(Deployment& deployment, Engine& engine, bool may_stall = false) {
    std::map<std::string, std::pair<IdStream, std::shared_ptr<Producer>>> streams;
    for (const char* name : {"p", "q"}) {
      auto& [stream, producer] = streams[name];
      if (!stream.Open(engine, kOrders).ok()) return false;
      producer = OpenProducer(engine, stream, name);
    }
    for (int64_t round = 0; round < kRounds; ++round) {
      for (int64_t i = round * kWrites; i < (round + 1) * kWrites; ++i) {
        for (auto& [name, stream] : streams) {
          const int64_t id = 2 * i + (name == "q");
          const auto admitted = stream.first.WriteOnce(engine, *stream.second, i + 1, id);
          if (!admitted.ok()) return false;
        }
      }
      int looks = 0;
      const auto over = [&] {
        return AllCommitted(engine) || engine.progress().failed || (may_stall && ++looks > 1000);
      };
      if (!deployment.PassTimeUntil(over) || !AllCommitted(engine)) return false;
    }
    return true;
  }
  static std::map<int64_t, int> All() { return EachOnce(2 * kRounds * kWrites); }
};

EngineOptions SmallSegments(EngineOptions options) {
  options.log.segment_bytes = 4096;  // a few writes: the log is let go of while it is written
  return options;
}

// Until the log objects are gone, and one checkpoint is all that is left of them.
[[nodiscard]] bool AwaitCheckpointAlone(Deployment& deployment) {
  return deployment.PassTimeUntil([&] {
    const auto objects = deployment.object_memory.List("log/").ValueOrDie();
    return objects.size() == 1 && CheckpointStore::LsnOfKey(objects[0].key);
  });
}

TEST(EngineProducer, WritesOfALogThatIsGoneAreKnownFromTheCheckpoint) {
  Deployment deployment;
  deployment.options = SmallSegments(deployment.options);
  {
    auto engine = deployment.StartEngine();
    ASSERT_TRUE(Rounds::Run(deployment, *engine));
    ASSERT_TRUE(AwaitCheckpointAlone(deployment));
  }
  EXPECT_FALSE(deployment.disk.Contents("data/log/00000000000000000001.log").ok());
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const auto producer = OpenProducer(*engine, orders);
  const auto retry = orders.WriteOnce(*engine, *producer, 1, 0);
  ASSERT_THAT(retry, IsOk());
  EXPECT_TRUE(retry->is_retry);
  EXPECT_EQ(retry->lsn, Lsn{1000});
  ASSERT_TRUE(Rounds::Run(deployment, *engine));
  EXPECT_EQ(deployment.ReadIds(kOrders), Rounds::All());
}

TEST(EngineProducer, WhateverOperationIsTheLastBeforeAPowerLossWhatIsResentIsThereOnce) {
  for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
    for (int64_t nth = 1; nth < 2000; ++nth) {
      SCOPED_TRACE(testing::Message()
                   << "operation " << nth << ", effect " << static_cast<int>(effect));
      Deployment deployment(nth);
      deployment.options = SmallSegments(deployment.options);
      deployment.disk_faults.Add({.nth = nth, .effect = effect});
      deployment.disk_faults.Add({.nth = nth + 1, .times = kForGood});
      bool finished = false;
      if (auto engine = deployment.MakeEngine(); engine.ok()) {
        (*engine)->Start();
        finished = Rounds::Run(deployment, **engine, /*may_stall=*/true);
      }
      const bool fired = deployment.disk_faults.fired();
      deployment.disk_faults.Clear();
      deployment.disk.LosePower(nth,
                                nth % 2 == 0 ? PowerLoss::kDropUnsynced : PowerLoss::kTearSectors);
      {
        auto engine = deployment.MakeEngine();
        ASSERT_THAT(engine, IsOk());
        (*engine)->Start();
        ASSERT_TRUE(Rounds::Run(deployment, **engine));
      }
      auto engine = deployment.StartEngine();  // and once more, in order
      ASSERT_TRUE(Rounds::Run(deployment, *engine));
      ASSERT_EQ(deployment.ReadIds(kOrders), Rounds::All());
      if (finished && !fired) break;
    }
  }
}

TEST(EngineProducer, WhateverOperationOfTheObjectStoreFailsOnceOrForGoodNothingIsDoubledOrLost) {
  for (const Effect effect : {Effect::kNone, Effect::kFull}) {
    for (const bool for_good : {false, true}) {
      for (int64_t nth = 1; nth < 200; ++nth) {
        SCOPED_TRACE(testing::Message() << "operation " << nth);
        Deployment deployment(nth);
        deployment.options = SmallSegments(deployment.options);
        deployment.object_faults.Add(
            {.nth = nth, .times = for_good ? kForGood : 1, .effect = effect});
        bool finished = false;
        if (auto engine = deployment.MakeEngine(); engine.ok()) {
          (*engine)->Start();
          if (for_good) {
            const SteadyTime later = deployment.clock.Now() + std::chrono::seconds(3);
            IdStream orders;
            ASSERT_THAT(orders.Open(**engine, kOrders), IsOk());
            const auto producer = OpenProducer(**engine, orders);
            for (int64_t seq = 1; seq <= Rounds::kWrites; ++seq) {
              ASSERT_THAT(orders.WriteOnce(**engine, *producer, seq, 2 * (seq - 1)), IsOk());
            }
            ASSERT_TRUE(deployment.PassTimeUntil([&] { return deployment.clock.Now() > later; }));
          } else {
            finished = Rounds::Run(deployment, **engine);
            ASSERT_TRUE(finished);
          }
        }
        const bool fired = deployment.object_faults.fired();
        deployment.object_faults.Clear();
        deployment.disk.LosePower(nth, PowerLoss::kDropUnsynced);
        auto engine = deployment.StartEngine();
        ASSERT_TRUE(Rounds::Run(deployment, *engine));
        ASSERT_EQ(deployment.ReadIds(kOrders), Rounds::All());
        if (!fired) break;
      }
    }
  }
}

TEST(EngineProducer, ManyInterleavedWritersAreCommittedBeforeTheirTimeAndToldWhenThereIsRoom) {
  Deployment deployment;
  deployment.options.commit_interval = std::chrono::hours(100'000);
  deployment.options.producers.max_runs = 32;
  auto made = deployment.MakeEngine();
  ASSERT_THAT(made, IsOk());
  auto engine = std::move(*made);
  engine->Start();
  std::array<IdStream, 2> streams;
  std::array<std::shared_ptr<Producer>, 2> producers;
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_THAT(streams[i].Open(*engine, kOrders), IsOk());
    producers[i] = OpenProducer(*engine, streams[i], std::string(1, static_cast<char>('a' + i)));
  }
  IdStream plain;
  ASSERT_THAT(plain.Open(*engine, kOrders), IsOk());
  int64_t plain_writes = 0;
  int refusals = 0;
  for (int64_t id = 0; id < 400;) {
    auto write = streams[id % 2].Decode(id);
    ASSERT_THAT(write, IsOk());
    const auto write_once = [&] {
      return streams[id % 2].WriteOnce(*engine, *producers[id % 2], id / 2 + 1, *write);
    };
    auto admitted = write_once();
    if (!admitted.ok()) {
      ++refusals;
      std::atomic<int> told = 0;
      write->ticket = engine->turns(Shortage::kProducers)->Join([&] { ++told; });
      // Told between the look at `told` and the next try counts: there may be no later time.
      for (int before = 0; !admitted.ok(); admitted = write_once()) {
        ASSERT_THAT(admitted, FailsWith(ErrorCode::kBackpressure));
        ASSERT_EQ(write->shortage, Shortage::kProducers);
        // A write that needs no place among producers' writes does not wait behind this one.
        ASSERT_THAT(plain.Write(*engine, 1'000 + plain_writes++), IsOk());
        ASSERT_TRUE(deployment.PassTimeUntil([&] { return told > before; }));
        before = told;
      }
      engine->turns(Shortage::kProducers)->Leave(write->ticket, /*refused=*/false);
    }
    ++id;
  }
  EXPECT_GT(refusals, 0);
  EXPECT_GT(engine->progress().commits, 0);
}

TEST(EngineProducer, ADamagedCheckpointStopsTheStartUnlessAnotherCoversTheLog) {
  for (const bool object_too : {false, true}) {
    SCOPED_TRACE(object_too);
    Deployment deployment;
    deployment.options = SmallSegments(deployment.options);
    {
      auto engine = deployment.StartEngine();
      ASSERT_TRUE(Rounds::Run(deployment, *engine));
      ASSERT_TRUE(AwaitCheckpointAlone(deployment));
    }
    for (const char* slot : {"data/log/producers.0", "data/log/producers.1"}) {
      ASSERT_THAT(deployment.disk.Corrupt(slot, 600, std::byte{1}), IsOk());
    }
    if (object_too) {
      for (const auto& object : deployment.object_memory.List("log/").ValueOrDie()) {
        ASSERT_THAT(deployment.object_memory.Delete(object.key), IsOk());
      }
      const auto refused = deployment.MakeEngine();
      ASSERT_THAT(refused, FailsWith(ErrorCode::kCorruption));
      EXPECT_NE(refused.status().message().find("producers.0"), std::string::npos);
      continue;
    }
    auto engine = deployment.StartEngine();
    ASSERT_TRUE(Rounds::Run(deployment, *engine));
    EXPECT_EQ(deployment.ReadIds(kOrders), Rounds::All());
  }
}

TEST(EngineProducer, ATableThatIsDroppedAndMadeAgainStartsAtOneAndTheLogKeepsTheOldSeqs) {
  Deployment deployment;
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    const auto producer = OpenProducer(*engine, orders);
    for (int64_t seq = 1; seq <= 3; ++seq) {
      ASSERT_THAT(orders.WriteOnce(*engine, *producer, seq, seq), IsOk());
    }
    ASSERT_TRUE(deployment.PassTimeUntil(
        [&] { return engine->progress().watermarks.disk_lsn == Lsn{1002}; }));
  }
  deployment.object_faults.Clear();
  ASSERT_THAT(deployment.catalog_memory.DropTable(kOrders), IsOk());
  for (int start = 0; start < 2; ++start) {
    SCOPED_TRACE(start);
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    const auto producer = OpenProducer(*engine, orders);
    const auto first = orders.WriteOnce(*engine, *producer, 1, 0);
    ASSERT_THAT(first, IsOk());
    EXPECT_EQ(first->is_retry, start == 1);
    EXPECT_THAT(orders.WriteOnce(*engine, *producer, 3, 0), FailsWith(ErrorCode::kInvalidRequest));
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return !deployment.ReadIds(kOrders).empty(); }));
    EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
  }
}

// Lets the server run for `minutes`, as the uploader counts them.
[[nodiscard]] bool RunFor(Deployment& deployment, int minutes) {
  const SteadyTime until = deployment.clock.Now() + std::chrono::minutes(minutes);
  return deployment.PassTimeUntil([&] { return deployment.clock.Now() >= until; });
}

TEST(EngineProducer, AProducerThatIsForgottenToMakeRoomIsToldSoAlsoAfterARestart) {
  Deployment deployment;
  deployment.options.producers.max_producers = 1;
  deployment.options.producers.expire_after = std::chrono::minutes(10);
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    for (int64_t seq = 1; seq <= 3; ++seq) {
      ASSERT_THAT(orders.WriteOnce(*engine, *OpenProducer(*engine, orders), seq, seq - 1), IsOk());
    }
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    EXPECT_THAT(engine->OpenProducer(*orders.target, "q"), FailsWith(ErrorCode::kBackpressure));
    ASSERT_TRUE(RunFor(deployment, 11));
    EXPECT_TRUE(orders.WriteOnce(*engine, *OpenProducer(*engine, orders), 3, 99)->is_retry);
    const auto other = engine->OpenProducer(*orders.target, "q");
    ASSERT_THAT(other, IsOk());
    ASSERT_THAT(orders.WriteOnce(*engine, **other, 1, 3), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    ASSERT_TRUE(RunFor(deployment, 1));  // and it is in a checkpoint
  }
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const auto forgotten = engine->LastSeqOf(kOrders, "p");
  ASSERT_THAT(forgotten, IsOk());
  EXPECT_EQ(forgotten->seq, 0);
  EXPECT_EQ(forgotten->forgotten_through, Lsn{1002});
  EXPECT_EQ(engine->LastSeqOf(kOrders, "q")->seq, 1);
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(4));
}

// Else a producer that is told that nothing is known of it sends its writes again.
TEST(EngineProducer, NoJumpOfTheClockAndNoTimeInWhichTheServerDidNotRunMakesAProducerOlder) {
  Deployment deployment;
  deployment.options.producers.max_producers = 1;
  // Far above what the simulated clock moves while a commit waits for a processor, and far below
  // the jumps.
  deployment.options.producers.expire_after = std::chrono::hours(10);
  for (int start = 0; start < 4; ++start) {
    SCOPED_TRACE(start);
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    if (start == 0) {
      ASSERT_THAT(orders.WriteOnce(*engine, *OpenProducer(*engine, orders), 1, 0), IsOk());
      ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    }
    deployment.clock.JumpWall(std::chrono::hours(100'000));
    ASSERT_TRUE(RunFor(deployment, 1));
    deployment.clock.JumpWall(std::chrono::hours(-200'000));
    ASSERT_TRUE(RunFor(deployment, 1));
    deployment.clock.Advance(std::chrono::hours(100'000));  // nobody looked: it stood still
    EXPECT_THAT(engine->OpenProducer(*orders.target, "q"), FailsWith(ErrorCode::kBackpressure));
    EXPECT_EQ(engine->LastSeqOf(kOrders, "p")->seq, 1);
    engine.reset();
    deployment.clock.Advance(std::chrono::hours(100'000));
    deployment.clock.JumpWall(std::chrono::hours(start % 2 == 0 ? 300'000 : -300'000));
  }
}

TEST(EngineProducer, TheTimeThatAServerRanCountsOverItsStarts) {
  Deployment deployment;
  deployment.options.producers.max_producers = 1;
  deployment.options.producers.expire_after = std::chrono::minutes(10);
  int starts = 0;
  bool has_room = false;
  SteadyTime::duration ran{0};  // as the clock says, which moves by leaps
  for (; starts < 20 && !has_room; ++starts) {
    const SteadyTime began = deployment.clock.Now();
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    has_room = starts > 0 && engine->OpenProducer(*orders.target, "q").ok();
    if (has_room) break;
    if (starts == 0) {
      ASSERT_THAT(orders.WriteOnce(*engine, *OpenProducer(*engine, orders), 1, 0), IsOk());
    }
    ASSERT_TRUE(RunFor(deployment, 3));
    ASSERT_THAT(orders.Write(*engine, 100 + starts), IsOk());  // for a checkpoint
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    engine.reset();
    ran += deployment.clock.Now() - began;
  }
  EXPECT_TRUE(has_room);
  EXPECT_GT(starts, 1) << "one life alone was long enough";
  EXPECT_GE(ran, std::chrono::minutes(10));
}

TEST(EngineLevels, AreTheHighestTierReachedAndWhen) {
  Deployment deployment;
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  EXPECT_THAT(engine->LevelOf(Lsn{1000}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(engine->LevelOf(kNoLsn), FailsWith(ErrorCode::kNotFound));
  const auto now = [&] { return deployment.clock.WallNow().time_since_epoch().count(); };
  const int64_t written = now();
  const Lsn lsn = orders.Write(*engine, 0).ValueOrDie();
  EXPECT_THAT(engine->LevelOf(lsn), IsOk());
  EXPECT_THAT(engine->LevelOf(lsn.next()), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(engine->ReachedAt(Tier::kMemory, lsn), written);
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return engine->progress().watermarks.disk_lsn == lsn; }));
  EXPECT_EQ(engine->LevelOf(lsn)->tier, Tier::kLocalDisk);
  EXPECT_GE(engine->ReachedAt(Tier::kLocalDisk, lsn).value(), written);
  EXPECT_EQ(engine->ReachedAt(Tier::kObjectStorage, lsn), std::nullopt);
  const int64_t cleared = now();
  deployment.object_faults.Clear();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(engine->LevelOf(lsn)->tier, Tier::kCommitted);
  EXPECT_GE(engine->ReachedAt(Tier::kObjectStorage, lsn).value(), cleared);
}

TEST(EngineLevels, ALostLsnIsNeverCalledDurable) {
  Deployment deployment;
  Lsn lost;
  for (int crash = 0; crash < 3; ++crash) {
    SCOPED_TRACE(crash);
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    if (crash > 0) {
      ASSERT_THAT(engine->LevelOf(lost), IsOk());
      EXPECT_EQ(engine->LevelOf(lost)->tier, std::nullopt);
    }
    const Lsn kept = orders.Write(*engine, crash).ValueOrDie();
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    EXPECT_EQ(engine->LevelOf(kept)->tier, Tier::kCommitted);
    if (crash > 0) {
      EXPECT_EQ(engine->LevelOf(lost)->tier, std::nullopt);
      EXPECT_EQ(engine->ReachedAt(Tier::kLocalDisk, lost), std::nullopt);
    }
    deployment.disk_faults.Add({.times = kForGood});
    lost = orders.Write(*engine, 100).ValueOrDie();
    EXPECT_EQ(engine->LevelOf(lost)->tier, Tier::kMemory);
    engine.reset();
    deployment.disk_faults.Clear();
    deployment.disk.LosePower(crash, PowerLoss::kDropUnsynced);
  }
}

}  // namespace
}  // namespace arka::ingest

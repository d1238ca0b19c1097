#include "arka/ingest/object_store_recovery.h"

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"
#include "arka/wal/log_repair.h"
#include "arka/wal/log_verifier.h"
#include "arka/wal/segment.h"

namespace arka::ingest {
namespace {

using ::testing::HasSubstr;

/// A deployment whose machine can be replaced by one with an empty disk.
struct Machines : Deployment {
  explicit Machines(uint64_t seed = 1) : Deployment(seed) {}

  void LoseTheMachine() {
    disk.Crash();
    options.log.directory = "data" + std::to_string(++machine_) + "/log";
    for (FaultPlan* plan : {&disk_faults, &object_faults, &warehouse_faults, &catalog_faults}) {
      plan->Clear();
    }
  }
  /// 40 writes in the object store, of which only the first 10 are committed, and 5 that never
  /// got there. Ids are LSN - 1000.
  void WriteAndLoseTheMachine() {
    auto engine = StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    for (int64_t id = 0; id < 10; ++id) ASSERT_THAT(orders.Write(*engine, id), IsOk());
    ASSERT_TRUE(PassTimeUntil([&] { return AllCommitted(*engine); }));
    catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
    const auto watermarks = [&] { return engine->progress().watermarks; };
    for (int64_t id = 10; id < 40; ++id) {
      ASSERT_THAT(orders.Write(*engine, id), IsOk());
      if (id % 10 != 9) continue;
      ASSERT_TRUE(PassTimeUntil([&] { return watermarks().s3_lsn == watermarks().last_lsn; }));
    }
    object_faults.Add({.matches = OfKind("put"), .times = kForGood});
    for (int64_t id = 40; id < 45; ++id) ASSERT_THAT(orders.Write(*engine, id), IsOk());
    ASSERT_TRUE(PassTimeUntil([&] { return watermarks().disk_lsn == watermarks().last_lsn; }));
    engine.reset();
    LoseTheMachine();
  }

 private:
  int machine_ = 1;
};

TEST(ObjectStoreRecovery, WhatWasInTheObjectStoreComesBackOnceAndNoLsnIsGivenAgain) {
  Machines machines;
  machines.WriteAndLoseTheMachine();
  machines.options.recover_from_object_store = true;
  auto engine = machines.StartEngine();
  EXPECT_EQ(engine->progress().watermarks.s3_lsn, Lsn{1039});
  ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(machines.ReadIds(kOrders), EachOnce(40));
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  EXPECT_EQ(orders.Write(*engine, 40), Lsn{1039 + kRecoveredLsnGap + 1});
  ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(machines.ReadIds(kOrders), EachOnce(41));
}

TEST(ObjectStoreRecovery, AnEmptyDiskIsNotTakenForANewServer) {
  Machines machines;
  machines.WriteAndLoseTheMachine();
  const auto refused = machines.MakeEngine();
  EXPECT_THAT(refused, FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(refused.status().message(), HasSubstr("--recover-from-object-store"));
  EXPECT_THAT(refused.status().message(), HasSubstr("up to LSN 1039"));
}

TEST(ObjectStoreRecovery, WhereEverythingWasCommittedLsnsGoOnAboveTheTables) {
  Machines machines;
  {
    auto engine = machines.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    for (int64_t id = 0; id < 10; ++id) ASSERT_THAT(orders.Write(*engine, id), IsOk());
    ASSERT_TRUE(machines.PassTimeUntil([&] {
      return AllCommitted(*engine) && machines.object_memory.List("log/").ValueOrDie().empty();
    }));
  }
  machines.LoseTheMachine();
  machines.options.recover_from_object_store = true;
  auto engine = machines.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  EXPECT_EQ(orders.Write(*engine, 10), Lsn{1009 + kRecoveredLsnGap + 1});
  ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(machines.ReadIds(kOrders), EachOnce(11));
}

TEST(ObjectStoreRecovery, ALogThatIsThereIsLeftAsItIs) {
  Machines machines;
  machines.options.recover_from_object_store = true;  // also at the first start of all
  for (int64_t run = 0; run < 3; ++run) {
    auto engine = machines.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(orders.Write(*engine, run), IsOk());
    ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  }
  EXPECT_EQ(machines.ReadIds(kOrders), EachOnce(3));
}

TEST(ObjectStoreRecovery, AnOlderCopyOfTheLogIsRefused) {
  Machines machines;
  {
    auto engine = machines.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(orders.Write(*engine, 0), IsOk());
    ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  }
  // What a newer life of the same server has put since this copy was made.
  const std::vector object = {arrow::Buffer::FromString("later")};
  ASSERT_THAT(machines.object_memory.Put(
                  "log/node-1/00000000000000002000-00000000000000002010.arkalog", object),
              IsOk());
  const auto refused = machines.MakeEngine();
  EXPECT_THAT(refused, FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(refused.status().message(), HasSubstr("is an older copy"));
}

// From `share` of the segment's records on, `count` bytes are no longer what was written.
void Damage(MemoryFs& disk, const std::string& directory, double share, size_t count) {
  auto report = wal::VerifyLog(disk, directory).ValueOrDie();
  const std::string path = directory + "/" + wal::SegmentFileName(report.segments.back().number);
  const auto end = static_cast<size_t>(report.segments.back().end_offset());
  std::vector<std::byte> bytes = *disk.Contents(path);
  const size_t from =
      wal::kSegmentHeaderBytes +
      static_cast<size_t>(share * static_cast<double>(end - wal::kSegmentHeaderBytes));
  for (size_t at = from; at < std::min(from + count, bytes.size()); ++at) bytes[at] = std::byte{7};
  disk.SetContents(path, std::move(bytes));
}

// 40 writes in the object store, of which the first 10 are committed, and 5 on this disk only; the
// server is gone.
void WriteAndDie(Machines& machines) {
  auto engine = machines.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  for (int64_t id = 0; id < 10; ++id) ASSERT_THAT(orders.Write(*engine, id), IsOk());
  ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  machines.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  const auto watermarks = [&] { return engine->progress().watermarks; };
  for (int64_t id = 10; id < 40; ++id) {
    ASSERT_THAT(orders.Write(*engine, id), IsOk());
    ASSERT_TRUE(
        machines.PassTimeUntil([&] { return watermarks().s3_lsn == watermarks().last_lsn; }));
  }
  machines.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  for (int64_t id = 40; id < 45; ++id) {
    ASSERT_THAT(orders.Write(*engine, id), IsOk());
    ASSERT_TRUE(
        machines.PassTimeUntil([&] { return watermarks().disk_lsn == watermarks().last_lsn; }));
  }
  machines.disk.Crash();
  engine.reset();
  machines.catalog_faults.Clear();
  machines.object_faults.Clear();
}

// 0..39 are there once, and those above are there or told as lost; a new LSN is a new one.
void ExpectComplete(Machines& machines) {
  auto engine = machines.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const Lsn next = orders.Write(*engine, 45).ValueOrDie();
  EXPECT_GT(next, Lsn{1044}) << "an LSN was given again";
  ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
  const std::map<int64_t, int> ids = machines.ReadIds(kOrders);
  for (const auto& [id, times] : ids) EXPECT_EQ(times, 1) << id;
  for (int64_t id = 0; id < 45; ++id) {
    EXPECT_TRUE(id >= 40 || ids.contains(id)) << id;
    const bool told = engine->LevelOf(Lsn{1000 + id})->tier.has_value();
    // What was committed before the damage and stood in it, nobody can tell from what was lost.
    EXPECT_TRUE(told == ids.contains(id) || (id < 10 && !told)) << id;
  }
}

TEST(ObjectStoreRecovery, ARepairedLogGetsBackWhatTheObjectStoreHasOfWhatItLost) {
  for (const double share : {0.05, 0.3, 0.5, 0.7}) {
    for (const size_t count : {size_t{1}, size_t{2048}}) {
      SCOPED_TRACE(std::to_string(share) + " " + std::to_string(count));
      Machines machines;
      WriteAndDie(machines);
      Damage(machines.disk, machines.options.log.directory, share, count);
      ASSERT_THAT(machines.MakeEngine(), FailsWith(ErrorCode::kCorruption));
      ASSERT_THAT(wal::RepairLog(machines.fs, machines.clock, machines.options.log.directory,
                                 "data/damaged"),
                  IsOk());
      ExpectComplete(machines);
    }
  }
}

TEST(ObjectStoreRecovery, ALogThatLostItsEndWithoutATraceGetsItFromTheObjectStoreWhenToldSo) {
  for (const double share : {0.0, 0.3, 0.8}) {
    SCOPED_TRACE(share);
    Machines machines;
    WriteAndDie(machines);
    Damage(machines.disk, machines.options.log.directory, share, 1 << 20);
    const auto refused = machines.MakeEngine();
    ASSERT_THAT(refused, FailsWith(ErrorCode::kCorruption));
    EXPECT_THAT(refused.status().message(), HasSubstr("--recover-from-object-store"));
    machines.options.recover_from_object_store = true;
    ExpectComplete(machines);
  }
}

TEST(ObjectStoreRecovery, TheStartAfterARepairCanBeCutShortAnywhere) {
  for (FaultPlan Deployment::*plan : {&Deployment::disk_faults, &Deployment::object_faults}) {
    for (int64_t nth = 1;; nth += 3) {
      SCOPED_TRACE(nth);
      Machines machines(static_cast<uint64_t>(nth));
      WriteAndDie(machines);
      Damage(machines.disk, machines.options.log.directory, 0.3, 4096);
      ASSERT_THAT(wal::RepairLog(machines.fs, machines.clock, machines.options.log.directory,
                                 "data/damaged"),
                  IsOk());
      machines.options.recover_from_object_store = nth % 2 == 0;  // the flag may be there
      (machines.*plan).Add({.nth = nth, .times = kForGood, .effect = Effect::kFull});
      const bool cut_short = !machines.MakeEngine().ok();
      (machines.*plan).Clear();
      if (!cut_short) break;
      machines.disk.LosePower(static_cast<uint64_t>(nth), PowerLoss::kDropUnsynced);
      auto engine = machines.StartEngine();
      ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
      const std::map<int64_t, int> ids = machines.ReadIds(kOrders);
      for (int64_t id = 0; id < 40; ++id) ASSERT_EQ(ids.count(id), 1u) << id;
      for (const auto& [id, times] : ids) ASSERT_EQ(times, 1) << id;
    }
  }
}

TEST(ObjectStoreRecovery, CanBeCutShortAnywhereAndBegunAgain) {
  for (FaultPlan Deployment::*plan : {&Deployment::disk_faults, &Deployment::object_faults}) {
    for (int64_t nth = 1;; nth += 5) {
      SCOPED_TRACE(nth);
      Machines machines(static_cast<uint64_t>(nth));
      machines.WriteAndLoseTheMachine();
      machines.options.recover_from_object_store = true;
      (machines.*plan).Add({.nth = nth, .times = kForGood, .effect = Effect::kFull});
      const bool cut_short = !machines.MakeEngine().ok();
      (machines.*plan).Clear();
      if (!cut_short) break;
      machines.disk.LosePower(static_cast<uint64_t>(nth), PowerLoss::kDropUnsynced);
      auto engine = machines.StartEngine();
      ASSERT_TRUE(machines.PassTimeUntil([&] { return AllCommitted(*engine); }));
      ASSERT_EQ(machines.ReadIds(kOrders), EachOnce(40));
    }
  }
}

}  // namespace
}  // namespace arka::ingest

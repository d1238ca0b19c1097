// The log on a disk that fails, fills or loses power, at every operation: what was acknowledged is
// found again, in order, nothing twice, and no LSN is given a second time.
#include <functional>
#include <map>
#include <set>

#include "arka/wal/log_harness_test.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {
namespace {

constexpr PowerLoss kPowerLosses[] = {PowerLoss::kDropUnsynced, PowerLoss::kKeepPrefix,
                                      PowerLoss::kTearSectors, PowerLoss::kTearPages};

class LogFaultTest : public ::testing::Test, protected LogHarness {
 protected:
  LogFaultTest() {
    options.segment_bytes = 2048;
    options.lsn_block = 4;
    options.spare_segments = 2;
  }

  // A life with every kind of operation in it: several segments, groups of one and of many, a large
  // record, a release, a close and a second run. Stops at the first error, as a server would. What
  // was acknowledged is noted in durable_.
  void Live() {
    for (int run = 0; run < 2; ++run) {
      if (!TryOpen().ok()) return;
      for (int step = 0; step < 12; ++step) {
        const int count = step % 3 + 1;
        for (int i = 0; i < count; ++i) {
          std::string body =
              "r" + std::to_string(run) + "s" + std::to_string(step) + "i" + std::to_string(i);
          if (step == 7) body += std::string(5000, 'L');
          const Result<Lsn> lsn = log->Append(RecordNamed(body));
          if (!lsn.ok()) return;
          EXPECT_TRUE(given_.emplace(*lsn, body).second) << "LSN " << *lsn << " given twice";
        }
        const Status synced = log->Flush();
        durable_ = std::max(durable_, log->disk_lsn());
        if (!synced.ok()) return;
        if (step == 9 && !log->Release(Lsn{1004}).ok()) return;
      }
      if (run == 0 && !log->Close().ok()) return;
    }
  }

  // `image` must hold every acknowledged record that is not released, and nothing else than what
  // was given; the next LSN must be a new one.
  void ExpectRecovers(Fs& image) {
    FoundRecords records;
    const Result<std::unique_ptr<Log>> opened = Log::Open(image, clock, options, records);
    ASSERT_THAT(opened, IsOk());
    std::map<Lsn, std::string> expected;
    for (const auto& [lsn, body] : given_) {
      if (lsn <= durable_ && lsn > Lsn{1004}) expected.emplace(lsn, body);
    }
    for (size_t index = 0; index < records.bodies().size(); ++index) {
      const auto [lsn, body] = std::pair(records.lsns()[index], records.bodies()[index]);
      ASSERT_TRUE(given_.contains(lsn)) << lsn;
      EXPECT_EQ(given_[lsn], body);
      expected.erase(lsn);
    }
    EXPECT_TRUE(expected.empty()) << "lost from LSN " << expected.begin()->first;
    ASSERT_THAT((*opened)->Define(DefinitionNamed(1)), IsOk());
    const Result<Lsn> next = (*opened)->Append(RecordNamed("next"));
    ASSERT_THAT(next, IsOk());
    EXPECT_FALSE(given_.contains(*next)) << "LSN " << *next << " given again";
    EXPECT_THAT((*opened)->Close(), IsOk());
  }

  // Fails every operation of a life in turn; afterwards the process dies, or the power goes.
  void Sweep(const Fault& fault) {
    for (int64_t nth = 1;; ++nth) {
      SCOPED_TRACE(nth);
      fs = std::make_unique<MemoryFs>();
      plan = std::make_unique<FaultPlan>();
      Fault failing = fault;
      failing.nth = nth;
      plan->Add(failing);
      faulty = std::make_unique<FaultyFs>(*fs, *plan);
      given_.clear();
      durable_ = kNoLsn;
      Live();
      log.reset();
      const bool fired = plan->fired();
      plan->Clear();
      const std::unique_ptr<MemoryFs> without_power = fs->Clone();
      fs->Crash();
      ExpectRecovers(*fs);
      for (const PowerLoss mode : kPowerLosses) {
        const std::unique_ptr<MemoryFs> image = without_power->Clone();
        image->LosePower(static_cast<uint64_t>(nth), mode);
        ExpectRecovers(*image);
      }
      if (HasFailure() || !fired) return;
    }
  }

  std::map<Lsn, std::string> given_;
  Lsn durable_ = kNoLsn;
};

TEST_F(LogFaultTest, SurvivesAnyOperationThatFailsOnceWithoutEffect) {
  Sweep({.effect = Effect::kNone});
}
TEST_F(LogFaultTest, SurvivesAnyOperationThatFailsOnceHalfDone) {
  Sweep({.effect = Effect::kPartial});
}
TEST_F(LogFaultTest, SurvivesAnyOperationThatFailsOnceAfterItsEffect) {
  Sweep({.effect = Effect::kFull});
}
TEST_F(LogFaultTest, SurvivesADiskThatFailsForGood) {
  Sweep({.times = kForGood, .effect = Effect::kPartial});
}
TEST_F(LogFaultTest, SurvivesADiskThatIsFullOnce) {
  Sweep({.effect = Effect::kPartial,
         .error = Error(ErrorCode::kBackpressure, "injected: no space left on device")});
}
TEST_F(LogFaultTest, SurvivesADiskThatIsFullForGood) {
  Sweep({.times = kForGood,
         .effect = Effect::kPartial,
         .error = Error(ErrorCode::kBackpressure, "injected: no space left on device")});
}

TEST_F(LogFaultTest, SurvivesAPowerLossBeforeAndAfterAnyOperation) {
  int64_t images = 0;
  plan->Observe([&](FaultPlan::Moment, const Operation& operation) {
    if (log != nullptr) durable_ = std::max(durable_, log->disk_lsn());
    for (const PowerLoss mode : kPowerLosses) {
      const std::unique_ptr<MemoryFs> image = fs->Clone();
      image->LosePower(static_cast<uint64_t>(++images), mode);
      SCOPED_TRACE(operation.kind + " " + operation.target);
      ExpectRecovers(*image);
    }
  });
  Live();
  EXPECT_GT(images, 1000);
}

TEST_F(LogFaultTest, SurvivesAPowerLossRightAfterTheStartThatFollowedAKillAtAnyOperation) {
  int64_t images = 0;
  plan->Observe([&](FaultPlan::Moment, const Operation& operation) {
    if (log != nullptr) durable_ = std::max(durable_, log->disk_lsn());
    const std::unique_ptr<MemoryFs> image = fs->Clone();
    image->Crash();
    SCOPED_TRACE(operation.kind + " " + operation.target);
    FoundRecords records;
    ASSERT_THAT(Log::Open(*image, clock, options, records), IsOk());
    image->LosePower(static_cast<uint64_t>(++images), PowerLoss::kDropUnsynced);
    ExpectRecovers(*image);
  });
  Live();
  EXPECT_GT(images, 300);
}

TEST_F(LogFaultTest, IsPoisonedByAFailedSync) {
  Open();
  AppendSynced({"a"});
  plan->Add({.matches = OfKind("sync"), .error = Error(ErrorCode::kIoFailed, "the disk is gone")});
  Append("b");
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kIoFailed));
  ASSERT_THAT(fs->ForgetUnsynced(Segments()[0]), IsOk());  // as Linux does
  EXPECT_EQ(log->disk_lsn(), Lsn{1000});
  for (int i = 0; i < 2; ++i) {
    const Result<Lsn> refused = log->Append(RecordNamed("c"));
    EXPECT_THAT(refused, FailsWith(ErrorCode::kIoFailed));
    EXPECT_THAT(refused.status().message(), ::testing::HasSubstr("the disk is gone"));
  }
  EXPECT_THAT(log->Close(), FailsWith(ErrorCode::kIoFailed));
  LosePower(1, PowerLoss::kDropUnsynced);
  Open();
  EXPECT_EQ(Found(), "1000:a");
}

TEST_F(LogFaultTest, KnowsItsLastLsnWhereAllIsReleasedAndTheLastSegmentIsEmpty) {
  Open();
  AppendSynced({"a", std::string(3000, 'b')});
  // The first write to the next segment fails, after the segment's header was written.
  plan->Add({.matches =
                 [](const Operation& operation) {
                   return operation.kind == "write" && operation.offset == kSegmentHeaderBytes;
                 },
             .times = kForGood,
             .error = Error(ErrorCode::kIoFailed, "the disk is gone")});
  Append(std::string(3000, 'c'));
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kIoFailed));
  plan->Clear();
  ASSERT_THAT(log->Release(Lsn{1001}), IsOk());
  ASSERT_EQ(Segments().size(), 1u);
  LosePower(1, PowerLoss::kDropUnsynced);
  Open();
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(log->last_lsn(), Lsn{1001});
}

TEST_F(LogFaultTest, IsPoisonedByASyncThatFailsForWantOfRoomToo) {
  Open();
  AppendSynced({"a"});
  plan->Add({.matches = OfKind("sync"),
             .error = Error(ErrorCode::kBackpressure, "no space left on device")});
  Append("b");
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kIoFailed));
  EXPECT_FALSE(log->Append(RecordNamed("c")).ok());
  EXPECT_EQ(log->disk_lsn(), Lsn{1000});
}

TEST_F(LogFaultTest, WritesAgainAtAStartWhatAFailedSyncLeftInTheCacheOnly) {
  Open();
  AppendSynced({"a"});
  plan->Add({.matches = OfKind("sync")});
  Append("b");
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kIoFailed));
  ASSERT_THAT(fs->ForgetUnsynced(Segments()[0]), IsOk());
  Crash();
  Open();  // reads "b" from the cache and counts it as durable
  EXPECT_EQ(log->disk_lsn(), Lsn{1001});
  LosePower(1, PowerLoss::kDropUnsynced);
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b");
}

TEST_F(LogFaultTest, TellsItsListenerOnceThatItIsPoisoned) {
  Open();
  Start();
  Append("a");
  Sync();
  plan->Add({.matches = OfKind("sync"), .times = kForGood});
  Append("b");
  EXPECT_THAT(log->Flush(), FailsWith(ErrorCode::kIoFailed));
  EXPECT_FALSE(log->Close().ok());
  EXPECT_THAT(heard->poisoned(), FailsWith(ErrorCode::kIoFailed));
  EXPECT_EQ(heard->durable(), Lsn{1000});
}

TEST_F(LogFaultTest, WaitsForRoomOnAFullDiskAndGoesOn) {
  // Time moves only when the log's thread waits for it, so that it cannot miss the last move.
  const auto move_until = [&](const std::function<bool()>& reached) {
    while (!reached()) {
      clock.AwaitWaiters(1);
      clock.Advance(std::chrono::seconds(1));
    }
  };
  const auto refusals = [&] {
    const std::vector<FaultPlan::LogEntry> entries = plan->Log();
    return std::count_if(entries.begin(), entries.end(), [](const FaultPlan::LogEntry& entry) {
      return CodeOf(entry.status) == ErrorCode::kBackpressure;
    });
  };
  options.lsn_block = 1000;
  Open();
  Start();
  Append("a");
  Sync();
  fs->SetCapacity(5 * 4096);
  for (int i = 0; i < 40; ++i) Append("filler " + std::to_string(i));
  move_until([&] { return refusals() >= 3; });  // it waits, and tries again
  EXPECT_LT(log->disk_lsn(), log->last_lsn());
  EXPECT_THAT(log->Append(RecordNamed("patience")), IsOk());
  EXPECT_THAT(heard->poisoned(), IsOk());
  // What was small enough may still have found room after the first refusal; all else waits now.
  const size_t told = heard->no_room().size();
  EXPECT_GE(told, 1u);
  const auto refused = refusals();
  move_until([&] { return refusals() >= refused + 5; });
  EXPECT_EQ(heard->no_room().size(), told) << "told once, not at every attempt";
  fs->SetCapacity(1 << 30);
  move_until([&] { return log->disk_lsn() == log->last_lsn(); });
  EXPECT_THAT(heard->poisoned(), IsOk());
  Close();
  Open();
  EXPECT_EQ(found.bodies().size(), 42u);
}

TEST_F(LogFaultTest, ReleasesSegmentsOnAFullDisk) {
  Open();
  for (int i = 0; i < 20; ++i) AppendSynced({"filler " + std::to_string(i)});
  const int64_t retained = log->retained_bytes();
  fs->SetCapacity(0);
  EXPECT_THAT(log->Release(log->disk_lsn()), IsOk());
  EXPECT_LT(log->retained_bytes(), retained);
}

TEST_F(LogFaultTest, SaysAtCloseWhatAFullDiskDidNotTake) {
  Open();
  Start();
  Append("a");
  Sync();
  fs->SetCapacity(0);
  const Lsn lost = Append(std::string(5000, 'x'));
  const Status closed = log->Close();
  EXPECT_THAT(closed, FailsWith(ErrorCode::kBackpressure));
  EXPECT_THAT(closed.message(), ::testing::HasSubstr(std::to_string(lost.value)));
  fs->SetCapacity(1 << 30);
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a");
}

}  // namespace
}  // namespace arka::wal

#include "arka/wal/log.h"

#include <condition_variable>
#include <thread>

#include "arka/io/posix_fs.h"
#include "arka/io/system_clock.h"
#include "arka/testing/temp_directory.h"
#include "arka/wal/log_harness_test.h"

namespace arka::wal {
namespace {

class LogTest : public ::testing::Test, protected LogHarness {};

TEST_F(LogTest, OpensAnEmptyDirectoryAtTheFirstLsn) {
  Open();
  EXPECT_EQ(Found(), "");
  EXPECT_EQ(log->last_lsn(), kNoLsn);
  EXPECT_EQ(log->disk_lsn(), kNoLsn);
  EXPECT_EQ(Append("a"), kFirstLsn);
}

TEST_F(LogTest, FindsWhatWasSyncedAfterACrash) {
  Open();
  AppendSynced({"a", "b"});
  Append("c");
  Append("d");
  Sync();
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b 1002:c 1003:d");
  EXPECT_EQ(log->disk_lsn(), Lsn{1003});
}

TEST_F(LogTest, GoesOnInTheNextSegment) {
  Open();
  std::string expected;
  for (int64_t lsn = 1000; lsn < 1050; ++lsn) {
    const std::string body(static_cast<size_t>(lsn - 900), 'x');
    AppendSynced({body});
    expected += (expected.empty() ? "" : " ") + std::to_string(lsn) + ":" + body;
  }
  EXPECT_GT(Segments().size(), 3u);
  Crash();
  Open();
  EXPECT_EQ(Found(), expected);
}

TEST_F(LogTest, GivesALargeRecordASegmentOfItsOwnSize) {
  Open();
  const std::string large(100'000, 'L');
  AppendSynced({"a", large, "b"});
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:" + large + " 1002:b");
}

TEST_F(LogTest, NeverGivesAnLsnAgainAfterACrash) {
  Open();
  AppendSynced({"a"});
  const Lsn lost = Append("never synced");
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a");
  const Lsn next = Append("b");
  EXPECT_GT(next, lost);
  Sync();
  Crash();
  Open();
  EXPECT_EQ(Found(), "1000:a " + std::to_string(next.value) + ":b");
}

TEST_F(LogTest, LeavesNoGapAfterACleanClose) {
  Open();
  AppendSynced({"a"});
  Append("b");
  Close();
  Open();
  EXPECT_EQ(Found(), "1000:a 1001:b");
  EXPECT_EQ(Append("c"), Lsn{1002});
}

TEST_F(LogTest, ReportsDurabilityOnItsOwnThread) {
  Open();
  Start();
  for (int i = 0; i < 100; ++i) Append("x");
  Sync();
  EXPECT_EQ(heard->durable(), Lsn{1099});
  EXPECT_EQ(log->pending_bytes(), 0);
  Close();
  EXPECT_THAT(log->Append(RecordNamed("late")), FailsWith(ErrorCode::kShuttingDown));
}

TEST_F(LogTest, WaitsForCompanyAsLongAsItIsToldTo) {
  options.flush_interval = std::chrono::milliseconds(100);
  Open();
  Start();
  clock.AwaitWaiters(1);
  Append("a");
  clock.AwaitWaiters(1);
  Append("b");
  EXPECT_EQ(log->disk_lsn(), kNoLsn);
  clock.Advance(std::chrono::milliseconds(100));
  while (log->disk_lsn() < Lsn{1001}) std::this_thread::yield();
  Close();
}

TEST_F(LogTest, FlushesWithoutWaitingForCompany) {
  options.flush_interval = std::chrono::hours(1);
  Open();
  Start();
  Append("a");
  Sync();
  EXPECT_EQ(log->disk_lsn(), Lsn{1000});
  Append("b");
  Close();
  EXPECT_EQ(heard->durable(), Lsn{1001});
}

TEST_F(LogTest, GivesUpWhatIsPendingWhenItGoesWithoutClose) {
  options.flush_interval = std::chrono::hours(1);
  Open();
  Start();
  Append("a");
  Sync();
  Append("b");
  log.reset();
  EXPECT_THAT(heard->poisoned(), IsOk());
  Open();
  EXPECT_EQ(Found(), "1000:a");
}

TEST_F(LogTest, TakesAppendsWhileASyncHangs) {
  Open();
  Start();
  Append("a");
  Sync();
  std::mutex mutex;
  std::condition_variable changed;
  bool hanging = false;
  bool released = false;
  plan->Observe([&](FaultPlan::Moment moment, const Operation& operation) {
    if (moment != FaultPlan::Moment::kBefore || operation.kind != "sync") return;
    std::unique_lock lock(mutex);
    hanging = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
  });
  Append("b");
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return hanging; });
  }
  for (int i = 0; i < 50; ++i) Append("c");
  EXPECT_EQ(log->disk_lsn(), Lsn{1000});
  EXPECT_GT(log->pending_bytes(), 0);
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  changed.notify_all();
  Sync();
  EXPECT_EQ(log->disk_lsn(), Lsn{1051});
  Close();
}

TEST_F(LogTest, KeepsTheOrderOfEachAppendingThread) {
  options.segment_bytes = 64 << 10;
  options.spare_segments = 2;
  options.lsn_block = 300;
  Open();
  Start();
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        Lsn last = kNoLsn;
        for (int i = 0; i < kEach; ++i) {
          const Lsn lsn = Append(std::to_string(thread) + "/" + std::to_string(i));
          EXPECT_GT(lsn, last);
          last = lsn;
          if (i % 100 == 0) Sync();
        }
      });
    }
  }
  Sync();
  Crash();
  Open();
  std::vector<int> next(kThreads, 0);
  for (const std::string& body : found.bodies()) {
    const auto thread = static_cast<size_t>(body[0] - '0');
    EXPECT_EQ(body.substr(2), std::to_string(next[thread]++));
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kEach));
}

TEST_F(LogTest, WritesEachDefinitionOnceInEverySegmentThatUsesIt) {
  Open();
  ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
  ASSERT_THAT(log->Define(DefinitionNamed(2)), IsOk());
  EXPECT_THAT(log->Define({.id = {2}, .bytes = BufferOf("another")}),
              FailsWith(ErrorCode::kCorruption));
  for (int i = 0; i < 40; ++i) Append("x" + std::to_string(i), static_cast<uint32_t>(i % 2 + 1));
  Sync();
  Crash();
  ASSERT_GT(Segments().size(), 2u);
  for (const std::string& path : Segments()) {
    const std::string bytes = TextOf(*fs->Contents(path));
    EXPECT_EQ(bytes.find("table 1"), bytes.rfind("table 1"));
    EXPECT_EQ(bytes.find("table 2"), bytes.rfind("table 2"));
    EXPECT_NE(bytes.find("table 1"), std::string::npos);
    EXPECT_NE(bytes.find("table 2"), std::string::npos);
  }
  Open();
  EXPECT_EQ(found.bodies().size(), 40u);
}

TEST_F(LogTest, MarksItsEndOnceNothingWasWrittenForAMoment) {
  const auto writes = [this] {
    const auto operations = plan->Log();
    return std::count_if(operations.begin(), operations.end(),
                         [](const auto& entry) { return entry.operation.kind == "write"; });
  };
  Open();
  Start();
  AppendSynced({"a", "b", "c"});
  clock.AwaitWaiters(1);
  const auto unmarked = writes();
  clock.Advance(std::chrono::milliseconds(10));
  clock.AwaitWaiters(1);
  EXPECT_EQ(writes(), unmarked + 1);
  clock.Advance(std::chrono::seconds(10));
  Close();
  EXPECT_EQ(writes(), unmarked + 3);  // the control file's two copies
}

TEST_F(LogTest, RefusesAWriteOfADefinitionThatItWasNotGiven) {
  Open();
  EXPECT_THAT(log->Append(RecordNamed("x", 9)), FailsWith(ErrorCode::kInvalidRequest));
}

TEST_F(LogTest, RecyclesReleasedSegmentsAndNeverReadsTheirStaleBytes) {
  options.spare_segments = 2;
  Open();
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const Lsn lsn = Append("same size");
    Sync();
    ASSERT_THAT(log->Release(lsn), IsOk());
    if (i % 7 != 0) continue;
    Crash();
    Open();
    EXPECT_EQ(found.last_lsn(), lsn);
    EXPECT_LE(Segments().size(), 3u);
  }
  EXPECT_LE(fs->Paths().size(), 6u);
}

TEST_F(LogTest, RunsOnARealDisk) {
  const TempDirectory directory;
  PosixFs disk;
  SystemClock real_clock;
  options.directory = directory.path() + "/log";
  options.segment_bytes = 1 << 20;
  options.spare_segments = 2;
  Lsn next = kFirstLsn;
  for (int run = 0; run < 3; ++run) {
    FoundRecords records;
    const auto opened = Log::Open(disk, real_clock, options, records);
    ASSERT_THAT(opened, IsOk());
    Log& on_disk = **opened;
    EXPECT_EQ(on_disk.last_lsn(), next.previous());
    if (run > 0) {
      EXPECT_EQ(records.last_lsn(), next.previous());
    }
    HeardEvents events;
    on_disk.Start(events);
    ASSERT_THAT(on_disk.Define(DefinitionNamed(1)), IsOk());
    const std::string body(100'000, 'b');
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(*on_disk.Append(RecordNamed(body)), next);
      next = next.next();
    }
    ASSERT_THAT(on_disk.Flush(), IsOk());
    EXPECT_EQ(events.durable(), next.previous());
    ASSERT_THAT(on_disk.Release(Lsn{next.value - 20}), IsOk());
    ASSERT_THAT(on_disk.Close(), IsOk());
  }
}

TEST_F(LogTest, KeepsWhatIsNotReleased) {
  Open();
  for (int i = 0; i < 30; ++i) AppendSynced({"x"});
  ASSERT_THAT(log->Release(Lsn{1015}), IsOk());
  Crash();
  Open();
  EXPECT_LE(found.lsns().front(), Lsn{1016});
  EXPECT_GT(found.lsns().front(), Lsn{1000});
  EXPECT_EQ(found.lsns().back(), Lsn{1029});
}

}  // namespace
}  // namespace arka::wal

#include "arka/query/table_scan.h"

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"
#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

using ingest::IdStream;
using ingest::kOrders;

class TableScanTest : public ::testing::Test {
 protected:
  void Start() {
    deployment_.options.log.max_bytes = log_bytes_;
    engine_ = deployment_.StartEngine();
    source_ = std::make_unique<ReadSource>(
        ReadSource{*engine_, deployment_.catalog, deployment_.warehouse, deployment_.options.node});
    ASSERT_THAT(stream_.Open(*engine_, kOrders), IsOk());
  }

  void Write(int64_t first, int64_t rows = 1) {
    ASSERT_THAT(stream_.Write(*engine_, first, rows), IsOk());
  }
  [[nodiscard]] bool AwaitCommit() {
    return deployment_.PassTimeUntil([&] { return ingest::AllCommitted(*engine_); });
  }

  /// Commits that many times, 10,000 rows from `first` on each.
  void CommitRounds(int64_t rounds, int64_t first) {
    for (int64_t round = 0; round < rounds; ++round) {
      Write(first + round * 10'000, 10'000);
      ASSERT_TRUE(AwaitCommit());
    }
  }

  /// The ids of the whole snapshot, and how often, part by part.
  Result<std::map<int64_t, int>> Read(const std::shared_ptr<const TableSnapshot>& snapshot) {
    std::map<int64_t, int> ids;
    for (const SnapshotPart& part : PartsOf(*snapshot, 1, 100)) {
      TableScan scan(*source_, snapshot, part);
      while (true) {
        ARROW_ASSIGN_OR_RAISE(const auto batch, scan.Next());
        if (batch == nullptr) break;
        const auto& values = static_cast<const arrow::Int64Array&>(*batch->column(0));
        for (int64_t i = 0; i < values.length(); ++i) ++ids[values.Value(i)];
      }
    }
    return ids;
  }
  std::map<int64_t, int> ReadNow() {
    return Read(TakeSnapshot(*source_, kOrders).ValueOrDie()).ValueOrDie();
  }

  int64_t log_bytes_ = 0;
  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
  std::unique_ptr<ReadSource> source_;
  IdStream stream_;
};

TEST_F(TableScanTest, FreshRowsAndCommittedOnesAreEachReadOnce) {
  Start();
  EXPECT_EQ(ReadNow(), ingest::EachOnce(0));
  for (int64_t id = 0; id < 10; ++id) Write(id);
  EXPECT_EQ(ReadNow(), ingest::EachOnce(10));
  ASSERT_TRUE(AwaitCommit());
  EXPECT_EQ(ReadNow(), ingest::EachOnce(10));
  for (int64_t id = 10; id < 20; ++id) Write(id);
  EXPECT_EQ(ReadNow(), ingest::EachOnce(20));
}

TEST_F(TableScanTest, ASnapshotStaysWhatItIsWhileItsWritesAreCommittedAndTheLogIsReleased) {
  Start();
  Write(0, 5);
  const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
  // More than the log's segments: without the pin, they would be written over.
  CommitRounds(8, 5);
  EXPECT_EQ(Read(snapshot).ValueOrDie(), ingest::EachOnce(5));
  EXPECT_EQ(ReadNow(), ingest::EachOnce(80'005));
}

TEST_F(TableScanTest, WhereTheLogNeedsTheRoomAReadEndsWithAnErrorAndAnotherOneWorks) {
  log_bytes_ = 1 << 20;
  Start();
  Write(0, 5);
  const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
  CommitRounds(12, 5);
  EXPECT_EQ(CodeOf(Read(snapshot).status()), ErrorCode::kUnavailable);
  EXPECT_EQ(ReadNow(), ingest::EachOnce(120'005));
}

TEST_F(TableScanTest, ATableWithoutFreshRowsNeedsNoLog) {
  Start();
  Write(0, 3);
  ASSERT_TRUE(AwaitCommit());
  const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
  EXPECT_FALSE(snapshot->has_fresh_rows());
  EXPECT_EQ(snapshot->files.size(), 1u);
}

TEST_F(TableScanTest, WhatWasInTheLogBeforeARestartIsReadAgain) {
  Start();
  for (int64_t id = 0; id < 10; ++id) Write(id);
  ASSERT_THAT(engine_->AwaitDisk(std::chrono::seconds(30)), IsOk());
  engine_.reset();
  Start();
  EXPECT_EQ(ReadNow(), ingest::EachOnce(10));
  ASSERT_TRUE(AwaitCommit());
  EXPECT_EQ(ReadNow(), ingest::EachOnce(10));
}

// At any moment of a commit, and of the writes beside it.
TEST_F(TableScanTest, ReadsBesideCommitsSeeAPrefixThatHoldsWhatWasThereBefore) {
  Start();
  source_->patience =
      std::chrono::hours(1'000);  // the simulated clock runs away with a slow machine
  std::atomic<int64_t> written = 0, wanted = 0;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      if (written == wanted) {
        std::this_thread::yield();
        continue;
      }
      ASSERT_THAT(stream_.Write(*engine_, written), IsOk());
      ++written;
    }
  });
  std::thread time([&] {
    while (!stop) (void)deployment_.PassTimeUntil([&] { return stop || AllCommitted(*engine_); });
  });
  int fresh = 0, committed = 0;
  for (int read = 0; read < 200 || fresh == 0 || committed < 100; ++read) {
    ASSERT_LT(read, 20'000);
    while (written + 5 < wanted) std::this_thread::yield();
    wanted = std::max<int64_t>(wanted, std::min<int64_t>(written + 10, 5'000));
    const int64_t before = written;
    const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
    const auto ids = Read(snapshot);
    ASSERT_THAT(ids, IsOk());
    EXPECT_GE(static_cast<int64_t>(ids->size()), before);
    EXPECT_EQ(*ids, ingest::EachOnce(static_cast<int64_t>(ids->size())));
    fresh += snapshot->has_fresh_rows();
    committed += !snapshot->files.empty();
  }
  stop = true;
  writer.join();
  time.join();
}

TEST_F(TableScanTest, AReadOfAnLsnSeesTheWritesUpToItAndNoOther) {
  Start();
  for (int64_t id = 0; id < 3; ++id) Write(id);  // LSNs 1000 to 1002, the first snapshot
  ASSERT_TRUE(AwaitCommit());
  for (int64_t id = 3; id < 6; ++id) Write(id);  // 1003 to 1005, the second
  ASSERT_TRUE(AwaitCommit());
  for (int64_t id = 6; id < 9; ++id) Write(id);  // 1006 to 1008, fresh
  const auto ids_as_of = [&](int64_t lsn) -> Result<std::map<int64_t, int>> {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, TakeSnapshot(*source_, kOrders, {.lsn = Lsn{lsn}}));
    return Read(snapshot);
  };
  for (const int64_t lsn : {999, 1002, 1005, 1006, 1007, 1008}) {
    ASSERT_THAT(ids_as_of(lsn).status(), IsOk()) << lsn;
    EXPECT_EQ(*ids_as_of(lsn), ingest::EachOnce(lsn - 999)) << lsn;
  }
  for (const int64_t lsn : {1000, 1001, 1003, 1004, 1009}) {
    EXPECT_EQ(CodeOf(ids_as_of(lsn).status()), ErrorCode::kNotFound) << lsn;
  }
}

TEST_F(TableScanTest, AReadOfASnapshotSeesWhatItHeld) {
  Start();
  std::vector<int64_t> snapshots;
  for (int64_t id = 0; id < 3; ++id) {
    Write(id);
    ASSERT_TRUE(AwaitCommit());
    snapshots.push_back(
        deployment_.catalog_memory.LoadTable(kOrders)->metadata->current_snapshot_id);
  }
  Write(3);
  for (size_t i = 0; i < snapshots.size(); ++i) {
    const auto snapshot = TakeSnapshot(*source_, kOrders, {.snapshot_id = snapshots[i]});
    ASSERT_THAT(snapshot.status(), IsOk());
    EXPECT_EQ(Read(*snapshot).ValueOrDie(), ingest::EachOnce(static_cast<int64_t>(i) + 1));
  }
  EXPECT_EQ(CodeOf(TakeSnapshot(*source_, kOrders, {.snapshot_id = 1}).status()),
            ErrorCode::kNotFound);
}

// What other tables wrote meanwhile is not read.
TEST_F(TableScanTest, TheLogIsReadFromTheTablesFirstUncommittedWriteToItsLast) {
  deployment_.options.commit_interval = std::chrono::hours(1'000'000);
  Start();
  IdStream users;
  ASSERT_THAT(users.Open(*engine_, ingest::kUsers), IsOk());
  for (int64_t id = 0; id < 50; ++id) ASSERT_THAT(users.Write(*engine_, id), IsOk());
  Write(0);
  Write(1);
  for (int64_t id = 0; id < 50; ++id) ASSERT_THAT(users.Write(*engine_, id), IsOk());
  const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
  EXPECT_EQ(snapshot->committed, Lsn{1049});
  EXPECT_EQ(snapshot->through, Lsn{1051});
  EXPECT_EQ(Read(snapshot).ValueOrDie(), ingest::EachOnce(2));
}

TEST_F(TableScanTest, AFileThatIsGoneOrDamagedIsAnErrorThatNamesIt) {
  Start();
  Write(0, 100);
  ASSERT_TRUE(AwaitCommit());
  const auto snapshot = TakeSnapshot(*source_, kOrders).ValueOrDie();
  const std::string key = *deployment_.warehouse.KeyOf(snapshot->files[0].file_path);
  const auto bytes = deployment_.warehouse_memory.Get(key).ValueOrDie();
  auto damaged = bytes->ToString();
  damaged.resize(damaged.size() / 2);
  const auto half = arrow::Buffer::FromString(damaged);
  ASSERT_THAT(deployment_.warehouse_memory.Put(key, {&half, 1}), IsOk());
  Status status = Read(snapshot).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kCorruption);
  EXPECT_THAT(status.message(), ::testing::HasSubstr(key));
  ASSERT_THAT(deployment_.warehouse_memory.Delete(key), IsOk());
  status = Read(snapshot).status();
  EXPECT_EQ(CodeOf(status), ErrorCode::kNotFound);
  EXPECT_THAT(status.message(), ::testing::HasSubstr(key));
}

TEST(PartsOf, CutAtTheFilesByTheirSize) {
  TableSnapshot snapshot;
  snapshot.committed = snapshot.through = Lsn{1000};
  ASSERT_EQ(PartsOf(snapshot, 100, 4).size(), 1u);  // nothing is still a part, without rows
  for (int i = 0; i < 10; ++i) snapshot.files.push_back({.file_size_in_bytes = 60});
  const auto parts = PartsOf(snapshot, 100, 4);
  ASSERT_LE(parts.size(), 4u);
  ASSERT_GE(parts.size(), 2u);
  size_t next = 0;
  for (const SnapshotPart& part : parts) {
    EXPECT_FALSE(part.fresh);
    EXPECT_EQ(part.first_file, next);
    next = part.last_file;
  }
  EXPECT_EQ(next, 10u);
  snapshot.through = Lsn{1001};
  EXPECT_TRUE(PartsOf(snapshot, 100, 4)[0].fresh);
}

}  // namespace
}  // namespace arka::query

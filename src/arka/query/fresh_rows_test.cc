#include "arka/query/fresh_rows.h"

#include <map>
#include <thread>

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "arka/ingest/deployment_test.h"
#include "arka/testing/matchers.h"

namespace arka::query {
namespace {

using ingest::IdStream;
using ingest::kOrders;
using ingest::kUsers;
using ::testing::HasSubstr;

class FreshRowsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    deployment_.options.commit_interval = std::chrono::hours(1);
    engine_ = deployment_.StartEngine();
    source_ = std::make_unique<ReadSource>(
        ReadSource{*engine_, deployment_.catalog, deployment_.warehouse, deployment_.options.node});
    ASSERT_THAT(orders_.Open(*engine_, kOrders), IsOk());
    fresh_ = std::make_unique<FreshRows>(*source_, int64_t{1} << 30);
  }

  /// Writes of `rows` rows each, of ids first, first + 1, …
  void Write(int64_t first, int64_t writes, int64_t rows = 1) {
    for (int64_t i = 0; i < writes; ++i) {
      const auto lsn = orders_.Write(*engine_, first + i * rows, rows);
      ASSERT_THAT(lsn, IsOk());
      lsns_.push_back(*lsn);
    }
  }

  std::shared_ptr<TableSnapshot> Snapshot(const iceberg::TableIdentifier& table = kOrders) {
    return std::make_shared<TableSnapshot>(*TakeSnapshot(*source_, table).ValueOrDie());
  }

  /// The ids in parts of files, and how often, as a worker reads them.
  static std::map<int64_t, int> IdsIn(const std::vector<RowsPart>& parts) {
    std::map<int64_t, int> ids;
    arrow::ipc::DictionaryMemo no_dictionaries;
    for (const auto& part : parts) {
      std::string bytes(static_cast<size_t>(part.end), '\0');
      EXPECT_EQ(pread(part.file->number(), bytes.data(), bytes.size(), 0), part.end);
      const auto file = arrow::Buffer::FromString(std::move(bytes));
      arrow::io::BufferReader start(file);
      const auto schema = arrow::ipc::ReadSchema(&start, &no_dictionaries).ValueOrDie();
      arrow::io::BufferReader batches(arrow::SliceBuffer(file, part.begin));
      while (const auto message = arrow::ipc::ReadMessage(&batches).ValueOrDie()) {
        const auto batch =
            arrow::ipc::ReadRecordBatch(*message, schema, &no_dictionaries, {}).ValueOrDie();
        const auto& values = static_cast<const arrow::Int64Array&>(*batch->column(0));
        for (int64_t i = 0; i < values.length(); ++i) ++ids[values.Value(i)];
      }
    }
    return ids;
  }
  std::map<int64_t, int> Read(const std::shared_ptr<const TableSnapshot>& snapshot) {
    return IdsIn(fresh_->Read(snapshot).ValueOrDie());
  }

  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
  std::unique_ptr<ReadSource> source_;
  std::unique_ptr<FreshRows> fresh_;
  IdStream orders_;
  std::vector<Lsn> lsns_;  // of the writes to orders
};

TEST_F(FreshRowsTest, TheNextQueryReadsOnlyWhatCameSince) {
  EXPECT_EQ(Read(Snapshot()), ingest::EachOnce(0));
  Write(0, 1, 100'000);
  EXPECT_EQ(Read(Snapshot()), ingest::EachOnce(100'000));
  const int64_t first = fresh_->budget().taken_bytes();
  EXPECT_GT(first, 800'000);
  EXPECT_EQ(Read(Snapshot()), ingest::EachOnce(100'000));
  EXPECT_EQ(fresh_->budget().taken_bytes(), first);
  Write(100'000, 10);
  EXPECT_EQ(Read(Snapshot()), ingest::EachOnce(100'010));
  EXPECT_LT(fresh_->budget().taken_bytes(), first + 10'000);
}

// What a commit takes of them is anywhere in what was read at once; a query whose snapshot is older
// may come after one whose snapshot is newer.
TEST_F(FreshRowsTest, EverySnapshotSeesWhatIsAboveWhatItHasCommittedEachOnce) {
  SeededRandom random(7);
  const auto below = [&](uint64_t bound) { return static_cast<int64_t>(random.Next() % bound); };
  for (int round = 0; round < 200; ++round) {
    Write(static_cast<int64_t>(lsns_.size()), below(5) + 1);
    const auto snapshot = Snapshot();
    const int64_t writes = static_cast<int64_t>(lsns_.size());
    // Mostly near the end, as commits are.
    const int64_t back = below(below(4) == 0 ? 1'000 : 20);
    const int64_t committed = std::max<int64_t>(writes - back, 0);  // of the writes
    const int64_t through = std::min<int64_t>(committed + below(20), writes);
    snapshot->committed = committed == 0 ? lsns_[0].previous() : lsns_[committed - 1];
    snapshot->through = through == 0 ? snapshot->committed : lsns_[through - 1];
    const auto ids = Read(snapshot);
    for (const auto& [id, times] : ids) {
      ASSERT_EQ(times, 1) << "id " << id << " in round " << round;
      ASSERT_GE(id, committed) << "in round " << round << ": it is in the snapshot's files";
      ASSERT_LT(id, writes);
    }
    for (int64_t id = committed; id < through; ++id) {
      ASSERT_TRUE(ids.contains(id)) << "id " << id << " in round " << round;
    }
  }
}

TEST_F(FreshRowsTest, TheMemoryOfWhatWasCommittedOrNotAskedForIsGivenBack) {
  constexpr int64_t kRows = 1'000'000;  // 8 MB
  for (int64_t i = 0; i < 12; ++i) Write(i * kRows, 1, kRows);
  auto snapshot = Snapshot();
  ASSERT_THAT(fresh_->Read(snapshot), IsOk());
  const int64_t all = fresh_->budget().taken_bytes();
  EXPECT_GT(all, 12 * 8 * kRows);
  snapshot = Snapshot();
  snapshot->committed = lsns_[10];
  ASSERT_THAT(fresh_->Read(snapshot), IsOk());
  EXPECT_LT(fresh_->budget().taken_bytes(), all / 2) << "a file at a time";
  const auto held = fresh_->Read(Snapshot()).ValueOrDie();
  for (int i = 0; i < FreshRows::kIdleSweeps; ++i) fresh_->Sweep();
  EXPECT_GT(fresh_->budget().taken_bytes(), 0);
  fresh_->Sweep();
  EXPECT_GT(fresh_->budget().taken_bytes(), 0) << "a query still holds them";
  int64_t bytes = 0;
  for (const auto& part : held) bytes += part.end - part.begin;
  EXPECT_GT(bytes, 12 * 8 * kRows);
}

TEST_F(FreshRowsTest, TablesThatWereNotAskedForTheLongestMakeRoom) {
  IdStream users;
  ASSERT_THAT(users.Open(*engine_, kUsers), IsOk());
  Write(0, 1, 100'000);
  ASSERT_THAT(users.Write(*engine_, 0, 100'000), IsOk());
  fresh_ = std::make_unique<FreshRows>(*source_, 1'200'000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Read(Snapshot(kOrders)), ingest::EachOnce(100'000));
    EXPECT_EQ(Read(Snapshot(kUsers)), ingest::EachOnce(100'000));
  }
  Write(100'000, 1, 100'000);
  const auto refused = fresh_->Read(Snapshot());
  EXPECT_EQ(CodeOf(refused.status()), ErrorCode::kBackpressure);
  EXPECT_THAT(refused.status().message(), HasSubstr("query.fresh_rows_memory"));
  EXPECT_EQ(fresh_->budget().taken_bytes(), 0);
  EXPECT_EQ(Read(Snapshot(kUsers)), ingest::EachOnce(100'000));
}

TEST_F(FreshRowsTest, RowsAreReadAnewWhereTheTableWasAltered) {
  Write(0, 3);
  EXPECT_EQ(Read(Snapshot()), ingest::EachOnce(3));
  auto snapshot = Snapshot();
  const auto id = snapshot->schema->field(0);
  snapshot->schema = arrow::schema({id->WithName("number")}, snapshot->schema->metadata());
  const auto parts = fresh_->Read(snapshot).ValueOrDie();
  EXPECT_EQ(IdsIn(parts), ingest::EachOnce(3));
  std::string bytes(static_cast<size_t>(parts[0].end), '\0');
  ASSERT_EQ(pread(parts[0].file->number(), bytes.data(), bytes.size(), 0), parts[0].end);
  EXPECT_THAT(bytes, HasSubstr("number"));
}

TEST_F(FreshRowsTest, AWorkerCannotWriteToTheRows) {
  Write(0, 3);
  const auto parts = fresh_->Read(Snapshot()).ValueOrDie();
  EXPECT_EQ(pwrite(parts[0].file->number(), "x", 1, 0), -1);
}

TEST_F(FreshRowsTest, QueriesAtTheSameTimeEachSeeAllThatWasAcknowledgedBefore) {
  std::atomic<int64_t> written{0};
  std::atomic<bool> done{false};
  const auto read = [&] {
    while (!done) {
      const int64_t before = written;
      const auto ids = Read(Snapshot());
      ASSERT_GE(static_cast<int64_t>(ids.size()), before);
      ASSERT_EQ(ids, ingest::EachOnce(static_cast<int64_t>(ids.size())));
    }
  };
  std::thread one(read), other(read);
  for (int64_t id = 0; id < 2'000; ++id) {
    Write(id, 1);
    written = id + 1;
  }
  done = true;
  one.join();
  other.join();
}

}  // namespace
}  // namespace arka::query

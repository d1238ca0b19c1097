#include "arka/query/sql_queries.h"

#include <thread>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"
#include "arka/io/posix_fs.h"
#include "arka/testing/matchers.h"
#include "arka/testing/temp_directory.h"

namespace arka::query {
namespace {

using ingest::IdStream;
using ingest::kOrders;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Against real workers; committed rows lie in a store that they cannot reach, so that they get
// these from here too. What they read by themselves is tested with the real server.
class SqlQueriesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    engine_ = deployment_.StartEngine();
    source_ = std::make_unique<ReadSource>(
        ReadSource{*engine_, deployment_.catalog, deployment_.warehouse, deployment_.options.node});
    options_.workers.worker.program = WorkerProgramPath();
    options_.workers.max_workers = 2;
    ASSERT_THAT(stream_.Open(*engine_, kOrders), IsOk());
  }

  SqlQueries& queries() {
    if (queries_ == nullptr) queries_ = std::make_unique<SqlQueries>(*source_, options_);
    return *queries_;
  }

  bool AwaitCommit() {
    return deployment_.PassTimeUntil([&] { return ingest::AllCommitted(*engine_); });
  }

  Result<std::shared_ptr<arrow::Table>> Query(const std::string& sql,
                                              std::shared_ptr<arrow::RecordBatch> parameters = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto result,
                          queries().Execute({sql, std::move(parameters), {}, {}}));
    arrow::RecordBatchVector batches;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, result->NextBatch());
      if (batch == nullptr) break;
      batches.push_back(std::move(batch));
    }
    return arrow::Table::FromRecordBatches(result->schema(), batches);
  }

  /// The one value of an answer, as text.
  std::string Value(const std::string& sql, std::shared_ptr<arrow::RecordBatch> parameters = {}) {
    const auto table = Query(sql, std::move(parameters));
    if (!table.ok()) return table.status().message();
    if ((*table)->num_rows() != 1) return std::to_string((*table)->num_rows()) + " rows";
    return (*table)->column(0)->GetScalar(0).ValueOrDie()->ToString();
  }

  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
  std::unique_ptr<ReadSource> source_;
  SqlOptions options_;
  std::unique_ptr<SqlQueries> queries_;
  IdStream stream_;
};

TEST_F(SqlQueriesTest, CommittedRowsAndFreshOnesAreCountedOnce) {
  const std::string sql = "SELECT count(*) || ' ' || sum(id) FROM sales.orders";
  ASSERT_THAT(stream_.Write(*engine_, 0, 10), IsOk());
  EXPECT_EQ(Value(sql), "10 45");
  ASSERT_TRUE(AwaitCommit());
  EXPECT_EQ(Value(sql), "10 45");
  ASSERT_THAT(stream_.Write(*engine_, 10, 10), IsOk());
  EXPECT_EQ(Value(sql), "20 190");
}

TEST_F(SqlQueriesTest, AStatementMayBeOfAnOlderStateWhateverWasReadBefore) {
  std::vector<Lsn> lsns;
  const auto write = [&](int64_t id) {
    const auto lsn = stream_.Write(*engine_, id, 1);
    ASSERT_THAT(lsn, IsOk());
    lsns.push_back(*lsn);
  };
  for (int64_t id = 0; id < 3; ++id) write(id);
  ASSERT_TRUE(AwaitCommit());
  for (int64_t id = 3; id < 6; ++id) write(id);
  EXPECT_EQ(Value("SELECT count(*) FROM sales.orders"), "6");
  for (int64_t id = 2; id < 6; ++id) {
    const SqlStatement statement{
        "SELECT count(*) FROM sales.orders", {}, {}, {}, {.lsn = lsns[static_cast<size_t>(id)]}};
    ASSERT_THAT(queries().Describe(statement), IsOk());
    const auto result = queries().Execute(statement);
    ASSERT_THAT(result, IsOk());
    const auto count = (*result)->NextBatch().ValueOrDie()->column(0);
    EXPECT_EQ(count->GetScalar(0).ValueOrDie()->ToString(), std::to_string(id + 1));
  }
  const SqlStatement none{"SELECT id FROM sales.orders", {}, {}, {}, {.snapshot_id = 5}};
  EXPECT_EQ(CodeOf(queries().Describe(none).status()), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(queries().Execute(none).status()), ErrorCode::kNotFound);
}

TEST_F(SqlQueriesTest, TablesAreFoundWithCatalogAndNamespaceOrInTheDefaultOne) {
  IdStream users;
  ASSERT_THAT(users.Open(*engine_, ingest::kUsers), IsOk());
  ASSERT_THAT(users.Write(*engine_, 0, 3), IsOk());
  for (const char* name : {"users", "arka.users", "lake.arka.users", "\"arka\".\"users\""}) {
    EXPECT_EQ(Value("SELECT count(*) FROM " + std::string(name)), "3") << name;
  }
  EXPECT_EQ(Value("SELECT count(*) FROM users u JOIN sales.orders o USING (id)"), "0");
  EXPECT_EQ(Value("WITH users AS (SELECT id FROM users WHERE id > 0) SELECT count(*) FROM users"),
            "2");
}

TEST_F(SqlQueriesTest, TheDefaultNamespaceMayBeTheStatements) {
  ASSERT_THAT(stream_.Write(*engine_, 0, 3), IsOk());
  SqlStatement statement{"SELECT id FROM orders JOIN sales.orders USING (id)", {}, {}, "sales"};
  const auto result = queries().Execute(statement);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ((*result)->NextBatch().ValueOrDie()->num_rows(), 3);
  // "arka" is the server's.
  statement.sql = "SELECT * FROM orders, arka.orders";
  EXPECT_THAT(queries().Execute(statement).status().message(),
              HasSubstr("name both with their namespaces"));
}

TEST_F(SqlQueriesTest, MessagesOfLargeResultsStayBelowWhatClientsTake) {
  const auto result =
      queries().Execute({"SELECT repeat('x', 1000) AS text FROM range(20000)", {}, {}, {}});
  ASSERT_THAT(result, IsOk());
  int64_t bytes = 0;
  while (true) {
    const auto message = (*result)->Next();
    ASSERT_THAT(message, IsOk());
    if (!*message) break;
    EXPECT_LT((*message)->body->size(), 4 << 20);
    bytes += (*message)->body->size();
  }
  EXPECT_GT(bytes, 20'000'000);
}

TEST_F(SqlQueriesTest, AStatementIsDescribedWithoutBeingRun) {
  const auto described = queries().Describe(
      {"SELECT id + 1 AS next, $1::VARCHAR FROM sales.orders WHERE id > $2", {}, {}, {}});
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->schema->ToString(), "next: int64\nCAST($1 AS VARCHAR): string");
  EXPECT_EQ(described->parameters->num_fields(), 2);
  EXPECT_EQ(described->tables, std::vector{kOrders});
}

TEST_F(SqlQueriesTest, ParametersAreBound) {
  ASSERT_THAT(stream_.Write(*engine_, 0, 10), IsOk());
  arrow::Int64Builder number;
  ASSERT_THAT(number.Append(7), IsOk());
  const auto row = arrow::RecordBatch::Make(arrow::schema({arrow::field("1", arrow::int64())}), 1,
                                            {number.Finish().ValueOrDie()});
  EXPECT_EQ(Value("SELECT count(*) FROM sales.orders WHERE id >= ?", row), "3");
  EXPECT_THAT(Value("SELECT count(*) FROM sales.orders", row),
              HasSubstr("0 parameter(s), and 1 were given"));
  EXPECT_THAT(Value("SELECT count(*) FROM sales.orders WHERE id >= ?"),
              HasSubstr("1 parameter(s), and 0 were given"));
}

TEST_F(SqlQueriesTest, WhatMayNotBeReadIsNotLookedAt) {
  const auto refuse = [](const iceberg::TableIdentifier& table) {
    return Error(ErrorCode::kPermissionDenied, table.ToString(), " is not yours");
  };
  for (const char* table : {"sales.orders", "sales.missing"}) {
    const SqlStatement statement{"SELECT * FROM " + std::string(table), {}, refuse, {}};
    EXPECT_EQ(CodeOf(queries().Execute(statement).status()), ErrorCode::kPermissionDenied);
    EXPECT_EQ(CodeOf(queries().Describe(statement).status()), ErrorCode::kPermissionDenied);
  }
}

TEST_F(SqlQueriesTest, ErrorsSayWhatIsWrongAndTheNextQueryIsAnswered) {
  const std::pair<const char*, const char*> refused[] = {
      {"SELECT nonsense FROM FROM", "syntax error"},
      {"SELECT missing FROM sales.orders", "missing"},
      {"SELECT * FROM sales.missing", "sales.missing"},
      {"SELECT * FROM other.sales.orders", "no catalog 'other'"},
      {"SELECT 1; SELECT 2", "one SELECT statement is answered at a time, not 2"},
      {"DELETE FROM sales.orders", "only one SELECT statement"},
      {"PRAGMA version", "only one SELECT statement"},
      {"SELECT * FROM read_csv('/etc/passwd')", "read_csv is not allowed"},
      {"SELECT current_setting('memory_limit')", "current_setting is not allowed"},
      {"SELECT CAST('x' AS INTEGER)", "Could not convert string 'x'"},
      {"", "not 0"},
  };
  for (const auto& [sql, message] : refused) {
    const auto answer = Query(sql);
    EXPECT_THAT(answer.status().message(), HasSubstr(message)) << sql;
    EXPECT_FALSE(IsRetryable(CodeOf(answer.status()))) << sql;
    EXPECT_EQ(Value("SELECT 42"), "42") << sql;
  }
}

TEST_F(SqlQueriesTest, AQueryThatNeedsTooMuchMemoryFailsAloneAndIsNotToBeRetried) {
  options_.workers.worker.memory_limit_bytes = 64 << 20;
  const auto answer =
      Query("SELECT count(DISTINCT range || 'abcdefghijklmnop') FROM range(30000000)");
  EXPECT_EQ(CodeOf(answer.status()), ErrorCode::kTooLarge) << answer.status().ToString();
  EXPECT_THAT(answer.status().message(), HasSubstr("query.memory_limit"));
  EXPECT_EQ(Value("SELECT 42"), "42");
}

TEST_F(SqlQueriesTest, AQueryThatTakesTooLongIsEnded) {
  options_.timeout = std::chrono::seconds(5);  // a worker has to start in it too
  const auto answer = Query("SELECT count(*) FROM range(1000000) a, range(1000000) b");
  EXPECT_EQ(CodeOf(answer.status()), ErrorCode::kTimedOut);
  EXPECT_EQ(Value("SELECT 42"), "42");
}

TEST_F(SqlQueriesTest, ACancelledQueryEndsAtOnce) {
  const auto result =
      queries().Execute({"SELECT count(*) FROM range(1000000) a, range(1000000) b", {}, {}, {}});
  ASSERT_THAT(result, IsOk());
  std::thread cancel([&] { (*result)->Cancel(); });
  EXPECT_EQ(CodeOf((*result)->Next().status()), ErrorCode::kCancelled);
  cancel.join();
  EXPECT_EQ(Value("SELECT 42"), "42");
}

TEST_F(SqlQueriesTest, WhereAllWorkersAreBusyAQueryIsToBeRetried) {
  options_.workers.max_workers = 1;
  options_.workers.patience = std::chrono::milliseconds(1);
  const auto busy = queries().Execute({"SELECT * FROM range(100000000)", {}, {}, {}});
  ASSERT_THAT(busy, IsOk());
  const auto refused = Query("SELECT 42");
  EXPECT_EQ(CodeOf(refused.status()), ErrorCode::kBackpressure);
  EXPECT_THAT(refused.status().message(), HasSubstr("query.workers"));
}

TEST_F(SqlQueriesTest, FreshRowsBeyondTheirMemoryAreRefusedAndTheRoomIsGivenBack) {
  ASSERT_THAT(stream_.Write(*engine_, 0, 10'000), IsOk());
  options_.fresh_rows_memory_bytes = 50'000;
  const auto refused = Query("SELECT count(*) FROM sales.orders");
  EXPECT_EQ(CodeOf(refused.status()), ErrorCode::kBackpressure);
  EXPECT_THAT(refused.status().message(), HasSubstr("query.fresh_rows_memory"));
  queries_.reset();
  options_.fresh_rows_memory_bytes = 150'000;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Value("SELECT count(*) FROM sales.orders"), "10000");
}

TEST_F(SqlQueriesTest, AWorkerThatCannotStartIsToldOf) {
  options_.workers.worker.program = "/bin/false";
  EXPECT_EQ(CodeOf(Query("SELECT 42").status()), ErrorCode::kInternal);
  queries_.reset();
  options_.workers.worker.program = "/nowhere/arka-query-worker";
  EXPECT_EQ(CodeOf(Query("SELECT 42").status()), ErrorCode::kUnavailable);
}

// With copies of data files, which lie on a real disk: workers read them.
class SqlQueriesOfCopiesTest : public SqlQueriesTest {
 protected:
  void OpenCache(int64_t max_bytes) {
    auto opened = DataFileCache::Open(disk_, deployment_.warehouse,
                                      {.directory = directory_.path(), .max_bytes = max_bytes});
    ASSERT_THAT(opened, IsOk());
    cache_ = std::move(*opened);
    options_.data_file_cache = cache_.get();
  }

  void TearDown() override { queries_.reset(); }  // before the cache

  size_t RangesOfDataFilesRead() const {
    size_t count = 0;
    for (const auto& entry : deployment_.warehouse_faults.Log()) {
      count += entry.operation.kind == "get_range" &&
                       entry.operation.target.find("/data/") != std::string::npos
                   ? 1
                   : 0;
    }
    return count;
  }

  TempDirectory directory_;
  PosixFs disk_;
  std::unique_ptr<DataFileCache> cache_;
};

TEST_F(SqlQueriesOfCopiesTest, ATableBeyondTheMemoryOfFreshRowsIsReadOutOfItsCopies) {
  options_.fresh_rows_memory_bytes = 1000;
  OpenCache(1 << 20);
  ASSERT_THAT(stream_.Write(*engine_, 0, 10'000), IsOk());
  ASSERT_TRUE(AwaitCommit());
  EXPECT_EQ(Value("SELECT count(*) || ' ' || sum(id) FROM sales.orders"), "10000 49995000");
  const size_t ranges = RangesOfDataFilesRead();
  EXPECT_GT(ranges, 0u);
  EXPECT_EQ(Value("SELECT count(*) FROM sales.orders a JOIN sales.orders b USING (id) "
                  "WHERE a.id >= 9990"),
            "10");
  EXPECT_EQ(RangesOfDataFilesRead(), ranges);
  ASSERT_THAT(stream_.Write(*engine_, 10'000, 1), IsOk());
  EXPECT_EQ(Value("SELECT count(*) FROM sales.orders"), "10001");
}

TEST_F(SqlQueriesOfCopiesTest, WhatAStatementReadsStaysUntilItsResultEnds) {
  IdStream users;
  ASSERT_THAT(users.Open(*engine_, ingest::kUsers), IsOk());
  ASSERT_THAT(users.Write(*engine_, 0, 10'000), IsOk());
  ASSERT_THAT(stream_.Write(*engine_, 0, 10'000), IsOk());
  ASSERT_TRUE(AwaitCommit());
  OpenCache(1 << 20);
  EXPECT_EQ(Value("SELECT count(*) FROM users"), "10000");
  const int64_t one_table = cache_->size_bytes();
  queries_.reset();
  cache_.reset();
  OpenCache(one_table + one_table / 2);
  auto result = queries().Execute({"SELECT id FROM sales.orders", {}, {}, {}});
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(CodeOf(Query("SELECT count(*) FROM users").status()), ErrorCode::kBackpressure);
  EXPECT_THAT((*result)->NextBatch(), IsOk());
  result->reset();
  EXPECT_EQ(Value("SELECT count(*) FROM users"), "10000");
  EXPECT_EQ(CodeOf(Query("SELECT count(*) FROM users JOIN sales.orders USING (id)").status()),
            ErrorCode::kTooLarge);
  EXPECT_LE(cache_->size_bytes(), one_table + one_table / 2);
}

}  // namespace
}  // namespace arka::query

#include "arka/flight/flush_action.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using ingest::kUsers;
using std::chrono::hours;
using transport::GrpcCode;

class FlushActionTest : public ::testing::Test, protected FlightFixture {
 protected:
  /// Nothing is uploaded or committed by itself but what was written in the first moment.
  void NothingComesByItself() {
    deployment.options.upload_interval = hours(1'000'000);
    deployment.options.commit_interval = hours(1'000'000);
  }
  Asker AskAndEnd(const std::string& type, const std::string& body) {
    Asker asker = Ask(type, body);
    EXPECT_TRUE(Await([&] { return asker.Ended(); })) << type << " " << body;
    return asker;
  }
  Writer OpenUsers() {
    Writer writer = Open();
    writer.SendSchema(*IdSchema(), {"streaming_write", "users"});
    return writer;
  }
  [[nodiscard]] bool FiveSecondsPass() {
    const auto later = deployment.clock.Now() + std::chrono::seconds(5);
    return Await([&] { return deployment.clock.Now() > later; });
  }
  [[nodiscard]] bool AwaitDisk(Lsn lsn) {
    return Await([&] { return reached().disk_lsn == lsn; });
  }
  protocol::Watermarks reached() const { return engine->progress().watermarks; }
};

TEST_F(FlushActionTest, AnswersWhenEverythingWrittenBeforeHasReachedTheLevel) {
  NothingComesByItself();
  Start();
  Writer orders = OpenOrders();
  Writer users = OpenUsers();
  int64_t id = 0;
  for (const char* level : {"LOCAL_DISK", "OBJECT_STORAGE", "COMMITTED", "COMMITTED"}) {
    for (int i = 0; i < 3; ++i) {
      orders.SendIds(id);
      users.SendIds(id++);
    }
    RunLoop();
    ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{999 + 2 * id}; }));
    const Asker flush = AskAndEnd("flush", R"({"level": ")" + std::string(level) + "\"}");
    ASSERT_EQ(flush.code(), GrpcCode::kOk) << flush.message();
    EXPECT_EQ(flush.results.at(0), (nlohmann::json{{"lsn", 999 + 2 * id}, {"level", level}}));
    const Tier tier = *ParseTier(level);
    EXPECT_EQ(reached().disk_lsn, last_lsn());
    EXPECT_TRUE(tier < Tier::kObjectStorage || reached().s3_lsn == last_lsn());
    EXPECT_TRUE(tier < Tier::kCommitted || reached().committed_lsn == last_lsn());
  }
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(12));
  EXPECT_EQ(deployment.ReadIds(kUsers), ingest::EachOnce(12));
}

TEST_F(FlushActionTest, OfOneTableCommitsThatOneAlone) {
  NothingComesByItself();
  Start();
  Writer orders = OpenOrders();
  Writer users = OpenUsers();
  orders.SendIds(0);
  users.SendIds(0);
  ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{1001}; }));
  const Asker flush = AskAndEnd("flush", R"({"level": "COMMITTED", "table": "sales.orders"})");
  ASSERT_EQ(flush.code(), GrpcCode::kOk) << flush.message();
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(1));
  EXPECT_TRUE(deployment.ReadIds(kUsers).empty());
}

TEST_F(FlushActionTest, ACommitAnswersTheSnapshots) {
  NothingComesByItself();
  Start();
  Writer orders = OpenOrders();
  orders.SendIds(0);
  orders.SendIds(1);
  ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{1001}; }));
  const Asker commit = AskAndEnd("commit", "{}");
  ASSERT_EQ(commit.code(), GrpcCode::kOk) << commit.message();
  const int64_t snapshot =
      deployment.catalog_memory.LoadTable(kOrders)->metadata->current_snapshot_id;
  const nlohmann::json of_orders = {
      {"table", "sales.orders"}, {"committed_lsn", 1001}, {"snapshot_id", snapshot}};
  EXPECT_EQ(commit.results.at(0), (nlohmann::json{{"lsn", 1001}, {"tables", {of_orders}}}));
  const Asker again = AskAndEnd("commit", "");
  EXPECT_EQ(again.results.at(0),
            (nlohmann::json{{"lsn", 1001}, {"tables", nlohmann::json::array()}}));
}

TEST_F(FlushActionTest, WithNothingWrittenItIsAnsweredAtOnce) {
  ASSERT_TRUE(
      deployment.catalog_memory
          .CreateTable(
              kOrders,
              {.schema = lake::TableSchema::FromArrow(*IdSchema()).ValueOrDie()->iceberg_schema()})
          .ok());
  Start();
  for (const char* body :
       {R"({"level": "COMMITTED"})", R"({"level": "COMMITTED", "table": "sales.orders"})"}) {
    const Asker flush = AskAndEnd("flush", body);
    ASSERT_EQ(flush.code(), GrpcCode::kOk) << flush.message();
    EXPECT_EQ(flush.results.at(0)["lsn"], 999);
  }
  const Asker nowhere = AskAndEnd("flush", R"({"level": "COMMITTED", "table": "nowhere"})");
  EXPECT_EQ(nowhere.code(), GrpcCode::kNotFound);
  EXPECT_NE(nowhere.message().find("arka.nowhere"), std::string::npos) << nowhere.message();
}

// A commit that waits for its upload holds what came before; the request is not lost in it.
TEST_F(FlushActionTest, WhatIsWrittenWhileACommitIsUnderWayIsCommittedByTheNextRequest) {
  NothingComesByItself();
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return reached().s3_lsn == Lsn{1000}; }));
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  writer.SendIds(1);
  ASSERT_TRUE(AwaitDisk(Lsn{1001}));
  Asker first = Ask("flush", R"({"level": "COMMITTED"})");
  ASSERT_TRUE(FiveSecondsPass());
  writer.SendIds(2);
  ASSERT_TRUE(AwaitDisk(Lsn{1002}));
  Asker second = Ask("flush", R"({"level": "COMMITTED"})");
  ASSERT_TRUE(FiveSecondsPass());
  EXPECT_FALSE(first.Ended());
  EXPECT_FALSE(second.Ended());
  deployment.object_faults.Clear();
  ASSERT_TRUE(Await([&] { return first.Ended() && second.Ended(); }));
  EXPECT_EQ(second.code(), GrpcCode::kOk) << second.message();
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(3));
}

TEST_F(FlushActionTest, ACatalogThatIsAwayIsWaitedForAndACallThatIsGoneIsForgotten) {
  NothingComesByItself();
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(AwaitDisk(Lsn{1000}));
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  Asker waits = Ask("commit", "{}");
  {
    Asker gone = Ask("commit", "{}");
    RunLoop();
  }
  ASSERT_TRUE(FiveSecondsPass());
  EXPECT_FALSE(waits.Ended());
  deployment.catalog_faults.Clear();
  ASSERT_TRUE(Await([&] { return waits.Ended(); }));
  EXPECT_EQ(waits.code(), GrpcCode::kOk) << waits.message();
}

TEST_F(FlushActionTest, ATableThatIsGoneIsNamedOnceTheOthersAreCommitted) {
  NothingComesByItself();
  Start();
  Writer orders = OpenOrders();
  Writer users = OpenUsers();
  orders.SendIds(0);
  users.SendIds(0);
  ASSERT_TRUE(AwaitDisk(Lsn{1001}));
  ASSERT_TRUE(deployment.catalog_memory.DropTable(kOrders).ok());
  const Asker flush = AskAndEnd("flush", R"({"level": "COMMITTED"})");
  EXPECT_EQ(flush.code(), GrpcCode::kNotFound);
  EXPECT_NE(flush.message().find("sales.orders"), std::string::npos) << flush.message();
  EXPECT_TRUE(flush.results.empty());
  EXPECT_EQ(deployment.ReadIds(kUsers), ingest::EachOnce(1));
  const Asker disk = AskAndEnd("flush", R"({"level": "OBJECT_STORAGE"})");
  EXPECT_EQ(disk.code(), GrpcCode::kOk) << disk.message();
}

TEST_F(FlushActionTest, AtShutdownAndWhereTheLogFailsItEndsWithTheReason) {
  NothingComesByItself();
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(AwaitDisk(Lsn{1000}));
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  Asker stopped = Ask("commit", "{}");
  RunLoop();
  service().Shutdown();
  ASSERT_TRUE(Await([&] { return stopped.Ended(); }));
  EXPECT_EQ(stopped.code(), GrpcCode::kUnavailable);
  EXPECT_NE(stopped.message().find("shutting down"), std::string::npos) << stopped.message();

  Stop();
  deployment.catalog_faults.Clear();
  Start();
  Writer next = OpenOrders();
  next.SendIds(1);
  ASSERT_TRUE(Await([&] { return next.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  waiting_loops = 2;
  deployment.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
  next.SendIds(2);
  RunLoop();
  const Asker failed = AskAndEnd("flush", R"({"level": "LOCAL_DISK"})");
  EXPECT_EQ(failed.code(), GrpcCode::kUnavailable) << failed.message();
  EXPECT_TRUE(failed.results.empty());
}

TEST_F(FlushActionTest, ABodyThatIsWrongIsRefusedByName) {
  Start();
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"flush", "{}", "'level'"},
      {"flush", R"({"level": "MEMORY"})", "LOCAL_DISK"},
      {"flush", R"({"level": 3})", "'level'"},
      {"flush", R"({"level": "COMMITTED", "tables": "t"})", "'tables'"},
      {"flush", R"({"level": "COMMITTED", "table": "../t"})", "../t"},
      {"commit", R"({"level": "COMMITTED"})", "'level'"},
      {"commit", R"({"table": 7})", "'table'"},
      {"commit", "garbage", "JSON"},
  };
  for (const auto& [type, body, part] : cases) {
    SCOPED_TRACE(body);
    const Asker asker = AskAndEnd(type, body);
    EXPECT_EQ(asker.code(), GrpcCode::kInvalidArgument);
    EXPECT_NE(asker.message().find(part), std::string::npos) << asker.message();
  }
}

}  // namespace
}  // namespace arka::flight

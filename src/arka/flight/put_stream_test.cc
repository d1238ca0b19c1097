// DoPut: one PutResult for every batch, once it is where the client wants it to be.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using transport::GrpcCode;

const std::string kAcks(protocol::kAcksHeader);
const std::vector<std::string> kPath = {"sales", "orders"};

class PutStreamTest : public ::testing::Test, protected FlightFixture {
 protected:
  static std::vector<int64_t> Lsns(int64_t first, int64_t count) {
    std::vector<int64_t> lsns;
    for (int64_t i = 0; i < count; ++i) lsns.push_back(first + i);
    return lsns;
  }
};

TEST_F(PutStreamTest, EveryPathOfATableMayBeWrittenTo) {
  Start();
  const std::vector<std::string> paths[] = {
      {"sales", "orders"}, {"sales.orders"}, {"streaming_write", "sales", "orders"}};
  int64_t id = 0;
  for (const auto& path : paths) {
    Putter putter = OpenPut(path, {{kAcks, "COMMITTED"}});
    putter.SendIds(id++);
    putter.call->HalfClose();
    ASSERT_TRUE(Await([&] { return putter.Ended(Tier::kCommitted); }));
    EXPECT_EQ(putter.code(), GrpcCode::kOk) << putter.message();
  }
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(3));
}

TEST_F(PutStreamTest, AnswersOneResultABatchInOrderAtLocalDiskAndThenEnds) {
  Start();
  Putter putter = OpenPut(kPath);
  for (int64_t i = 0; i < 20; ++i) putter.SendIds(i);
  ASSERT_TRUE(Await([&] { return putter.Lsns().size() == 20; }));
  EXPECT_EQ(putter.Lsns(), Lsns(1000, 20));
  EXPECT_GE(engine->progress().watermarks.disk_lsn, Lsn{1019});
  EXPECT_FALSE(putter.Ended()) << "the client has not half-closed";
  putter.SendIds(20, 0);  // without rows: a write too
  putter.call->Send(FlightMessage("", nullptr, "metadata alone"));
  putter.call->HalfClose();
  ASSERT_TRUE(Await([&] { return putter.Ended(); }));
  EXPECT_EQ(putter.code(), GrpcCode::kOk) << putter.message();
  EXPECT_EQ(putter.Lsns(), Lsns(1000, 21));
}

TEST_F(PutStreamTest, AResultComesAtTheLevelAskedForAndNotBefore) {
  for (const Tier level : kAllTiers) {
    SCOPED_TRACE(TierName(level));
    Stop();
    Start();
    const int64_t first = last_lsn().value;
    Putter putter = OpenPut(kPath, {{kAcks, std::string(TierName(level))}});
    for (int64_t i = 0; i < 5; ++i) putter.SendIds(i);
    putter.call->HalfClose();
    ASSERT_TRUE(Await([&] {
      const auto reached = engine->progress().watermarks;
      const std::array<Lsn, 4> at = {reached.last_lsn, reached.disk_lsn, reached.s3_lsn,
                                     reached.committed_lsn};
      const auto& told = putter.Lsns(level);
      EXPECT_TRUE(told.empty() || Lsn{told.back()} <= at[IndexOf(level)]) << told.back();
      return putter.Ended(level);
    }));
    EXPECT_EQ(putter.code(), GrpcCode::kOk) << putter.message();
    EXPECT_EQ(putter.Lsns(level).size(), 5u);
    EXPECT_GT(putter.Lsns(level).front(), first);
  }
}

TEST_F(PutStreamTest, ADiskThatDoesNotSyncIsToldAsNoLocalDisk) {
  Start();
  Putter putter = OpenPut(kPath);
  putter.SendIds(0);
  ASSERT_TRUE(Await([&] { return putter.Lsns().size() == 1; }));
  waiting_loops = 2;
  deployment.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
  putter.SendIds(1);
  putter.call->HalfClose();
  ASSERT_TRUE(Await([&] { return putter.Ended(); }));
  EXPECT_EQ(putter.code(), GrpcCode::kUnavailable) << putter.message();
  EXPECT_EQ(putter.retryable(), "true");
  EXPECT_EQ(putter.Lsns(), Lsns(1000, 1));
}

TEST_F(PutStreamTest, ABatchThatIsSentAgainIsWrittenOnceAndAnsweredInItsTurn) {
  Start();
  Putter putter = OpenPut(kPath, {{kAcks, "COMMITTED"}, {"arka-producer", "p"}});
  for (const int64_t seq : {1, 2, 3, 2, 1, 4}) putter.SendSeq(seq);
  putter.call->HalfClose();
  ASSERT_TRUE(Await([&] { return putter.Ended(Tier::kCommitted); }));
  EXPECT_EQ(putter.code(), GrpcCode::kOk) << putter.message();
  EXPECT_EQ(putter.Lsns(Tier::kCommitted),
            (std::vector<int64_t>{1000, 1001, 1002, 1001, 1000, 1003}));
  // And in another stream, also one that exchanges.
  Writer writer = OpenProducer("p");
  writer.SendSeq(4);
  writer.SendSeq(5);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 2; }));
  EXPECT_EQ(writer.LsnsAt(Tier::kMemory), (std::vector{Lsn{1003}, Lsn{1004}}));
  auto ids = ingest::EachOnce(6);
  ids.erase(0);
  EXPECT_EQ(deployment.ReadIds(kOrders), ids);
}

TEST_F(PutStreamTest, ABadBatchEndsTheCallNamingItAndTheOnesBeforeAreAnswered) {
  for (const Tier level : {Tier::kLocalDisk, Tier::kCommitted}) {
    Stop();
    deployment.options.commit_interval = std::chrono::seconds(1);
    Start();
    Putter putter = OpenPut(kPath, {{kAcks, std::string(TierName(level))}});
    for (int64_t i = 0; i < 3; ++i) putter.SendIds(i);
    putter.call->Send("garbage");
    putter.SendIds(3);
    ASSERT_TRUE(Await([&] { return putter.Ended(level); }));
    EXPECT_EQ(putter.code(), GrpcCode::kInvalidArgument);
    EXPECT_EQ(putter.retryable(), "false");
    EXPECT_NE(putter.message().find("batch 3"), std::string::npos) << putter.message();
    EXPECT_EQ(putter.Lsns(level).size(), 3u) << TierName(level);
  }
}

TEST_F(PutStreamTest, WhatItCannotDoIsRefusedWithTheReason) {
  Start();
  const std::tuple<std::vector<std::string>, transport::Metadata, const char*> cases[] = {
      {{"status"}, {}, "status"},
      {{"sales", "../etc"}, {}, "../etc"},
      {{"sales", "orders"}, {{kAcks, "LOCAL_DISK,COMMITTED"}}, "one level"},
      {{"sales", "orders"}, {{kAcks, "DISK"}}, "'DISK'"},
      {{"sales", "orders"}, {{"arka-ack-until", "COMMITTED"}}, "arka-ack-until"},
      {{"sales", "orders"}, {{"arka-watermarks", "true"}}, "arka-watermarks"},
  };
  for (const auto& [path, metadata, part] : cases) {
    SCOPED_TRACE(part);
    Putter putter = OpenPut(path, metadata);
    ASSERT_TRUE(Await([&] { return putter.Ended(); }));
    EXPECT_EQ(putter.code(), GrpcCode::kInvalidArgument);
    EXPECT_EQ(putter.retryable(), "false");
    EXPECT_NE(putter.message().find(part), std::string::npos) << putter.message();
  }
  Putter nowhere(transport->Open(kDoPut));
  nowhere.SendSchema(*IdSchema());
  ASSERT_TRUE(Await([&] { return nowhere.Ended(); }));
  EXPECT_NE(nowhere.message().find("DoPut with the path"), std::string::npos) << nowhere.message();
  EXPECT_EQ(last_lsn(), kNoLsn);
}

TEST_F(PutStreamTest, ResultsThatAreNotReadStallNoWritesAndFillNoMemory) {
  constexpr int64_t kWrites = 20'000;
  Start();
  Putter putter = OpenPut(kPath);
  putter.call->HoldReading();
  for (int64_t i = 0; i < kWrites; ++i) {
    putter.SendIds(i);
    if (i % 100 == 0) RunLoop();
  }
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine) && last_lsn() > kFirstLsn; }));
  EXPECT_EQ(last_lsn(), Lsn{kFirstLsn.value + kWrites - 1});
  EXPECT_GT(last_call().queued_bytes(), size_t{1} << 17);
  EXPECT_LT(last_call().queued_bytes(), size_t{1} << 19);

  putter.call->ReadOn();
  putter.call->HalfClose();
  ASSERT_TRUE(Await([&] { return putter.Ended(); }));
  EXPECT_EQ(putter.code(), GrpcCode::kOk) << putter.message();
  EXPECT_EQ(putter.Lsns(), Lsns(1000, kWrites));
}

TEST_F(PutStreamTest, HasASessionThatCanBeAskedFor) {
  Start();
  Putter named = OpenPut(kPath, {{"arka-session", "till 4"}});
  Putter unnamed = OpenPut(kPath);
  named.SendIds(0);
  ASSERT_TRUE(Await([&] { return named.Lsns().size() == 1; }));
  EXPECT_EQ(transport::Find(*named.call->headers(), "arka-session"), "till 4");
  EXPECT_EQ(transport::Find(*unnamed.call->headers(), "arka-session")->size(), 36u);
  Asker asker = Ask("durability_status", R"({"session": "till 4", "until": "COMMITTED"})");
  ASSERT_TRUE(Await([&] { return asker.Ended(); }));
  EXPECT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  EXPECT_EQ(asker.Events().size(), 4u);
}

TEST_F(PutStreamTest, AtShutdownEveryBatchIsAnsweredAndThenTheCallEnds) {
  Start();
  Putter writing = OpenPut(kPath, {{kAcks, "COMMITTED"}});
  for (int64_t i = 0; i < 5; ++i) writing.SendIds(i);
  ASSERT_TRUE(Await([&] { return last_lsn() == Lsn{1004}; }));
  service().Shutdown();
  ASSERT_TRUE(Await([&] { return writing.Ended(Tier::kCommitted); }));
  EXPECT_EQ(writing.code(), GrpcCode::kUnavailable);
  EXPECT_EQ(writing.retryable(), "true");
  EXPECT_EQ(writing.Lsns(Tier::kCommitted), Lsns(1000, 5));
  Putter late = OpenPut(kPath);
  ASSERT_TRUE(Await([&] { return late.Ended(); }));
  EXPECT_EQ(late.code(), GrpcCode::kUnavailable);
}

}  // namespace
}  // namespace arka::flight

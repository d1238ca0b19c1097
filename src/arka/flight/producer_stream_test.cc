// Exactly once on the wire: seq in app_metadata, and the acks of what is sent again.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/acks/ack_cursors.h"
#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using transport::GrpcCode;

const std::string kAckUntil(protocol::kAckUntilHeader);

class ProducerStreamTest : public ::testing::Test, protected FlightFixture {
 protected:
  /// Ids 1..count, each once.
  static std::map<int64_t, int> SeqsOnce(int64_t count) {
    std::map<int64_t, int> ids;
    for (int64_t seq = 1; seq <= count; ++seq) ids[seq] = 1;
    return ids;
  }
};

TEST_F(ProducerStreamTest, ABatchThatIsSentAgainHasTheLsnOfTheFirstTimeAndIsThereOnce) {
  Start();
  Writer writer = OpenProducer("till 4", {{kAckUntil, "COMMITTED"}});
  for (int64_t seq = 1; seq <= 3; ++seq) writer.SendSeq(seq);
  writer.SendSeq(2);
  writer.SendSeq(1);
  writer.SendSeq(4);
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kOk) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kMemory),
            (std::vector{Lsn{1000}, Lsn{1001}, Lsn{1002}, Lsn{1001}, Lsn{1000}, Lsn{1003}}));
  for (Tier tier : kAllTiers) EXPECT_EQ(writer.LsnsAt(tier).size(), 6u) << TierName(tier);
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(4));
}

TEST_F(ProducerStreamTest, AProducerGoesOnInAnotherStreamWhereItWas) {
  Start();
  {
    Writer first = OpenProducer("p");
    for (int64_t seq = 1; seq <= 3; ++seq) first.SendSeq(seq);
    ASSERT_TRUE(Await([&] { return first.LsnsAt(Tier::kCommitted).size() == 3; }));
  }
  Writer again = OpenProducer("p", {{kAckUntil, "COMMITTED"}});
  for (int64_t seq = 2; seq <= 5; ++seq) again.SendSeq(seq);
  again.call->HalfClose();
  ASSERT_TRUE(Await([&] { return again.Ended(); }));
  EXPECT_EQ(again.LsnsAt(Tier::kCommitted),
            (std::vector{Lsn{1001}, Lsn{1002}, Lsn{1003}, Lsn{1004}}));
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(5));
}

TEST_F(ProducerStreamTest, OfTwoProgramsOfOneNameOnlyTheOneThatClaimedItLastWrites) {
  Start();
  Writer earlier = OpenProducer("p");
  earlier.SendSeq(1);
  ASSERT_TRUE(Await([&] { return earlier.LsnsAt(Tier::kCommitted).size() == 1; }));
  Asker claimed = Ask("claim_producer", R"({"producer": "p", "table": "sales.orders"})");
  ASSERT_TRUE(Await([&] { return claimed.Ended(); }));
  ASSERT_EQ(claimed.results.size(), 1u) << claimed.message();
  EXPECT_EQ(claimed.results[0]["last_seq"], 1);
  EXPECT_EQ(claimed.results[0]["lsn"], 1000);
  const auto epoch = claimed.results[0]["epoch"].get<int64_t>();
  Writer later =
      OpenProducer("p", {{kAckUntil, "COMMITTED"},
                         {std::string(protocol::kProducerEpochHeader), std::to_string(epoch)}});
  earlier.SendSeq(2);
  ASSERT_TRUE(Await([&] { return earlier.Ended(); }));
  EXPECT_EQ(earlier.code(), GrpcCode::kFailedPrecondition);
  EXPECT_EQ(earlier.retryable(), "false");
  EXPECT_NE(earlier.message().find("claim_producer"), std::string::npos) << earlier.message();
  later.SendSeq(2);
  later.call->HalfClose();
  ASSERT_TRUE(Await([&] { return later.Ended(); }));
  EXPECT_EQ(later.code(), GrpcCode::kOk) << later.message();
  EXPECT_EQ(later.LsnsAt(Tier::kCommitted), (std::vector{Lsn{1001}}));
  Writer again = OpenProducer("p");
  again.SendSeq(3);
  ASSERT_TRUE(Await([&] { return again.Ended(); }));
  EXPECT_EQ(again.code(), GrpcCode::kFailedPrecondition);
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(2));
}

TEST_F(ProducerStreamTest, AProducerGoesOnAfterARestartWhereItWas) {
  Start();
  {
    Writer first = OpenProducer("p");
    for (int64_t seq = 1; seq <= 3; ++seq) first.SendSeq(seq);
    ASSERT_TRUE(Await([&] { return first.LsnsAt(Tier::kLocalDisk).size() == 3; }));
  }
  Stop();
  Start();
  Writer again = OpenProducer("p", {{kAckUntil, "COMMITTED"}});
  for (int64_t seq = 1; seq <= 4; ++seq) again.SendSeq(seq);
  again.call->HalfClose();
  ASSERT_TRUE(Await([&] { return again.Ended(); }));
  EXPECT_EQ(again.code(), GrpcCode::kOk) << again.message();
  const auto memory = again.LsnsAt(Tier::kMemory);
  ASSERT_EQ(memory.size(), 4u);
  EXPECT_EQ(std::vector(memory.begin(), memory.begin() + 3),
            (std::vector{Lsn{1000}, Lsn{1001}, Lsn{1002}}));
  EXPECT_GT(memory[3], Lsn{1002});
  EXPECT_EQ(again.LsnsAt(Tier::kCommitted).size(), 4u);
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(4));
}

TEST_F(ProducerStreamTest, TwoStreamsThatSendTheSameAtOnceWriteItOnce) {
  Start();
  Writer one = OpenProducer("p", {{kAckUntil, "COMMITTED"}});
  Writer other = OpenProducer("p", {{kAckUntil, "COMMITTED"}});
  for (int64_t seq = 1; seq <= 20; ++seq) {
    one.SendSeq(seq);
    RunLoop();
    other.SendSeq(seq);
  }
  for (Writer* writer : {&one, &other}) writer->call->HalfClose();
  ASSERT_TRUE(Await([&] { return one.Ended() && other.Ended(); }));
  EXPECT_EQ(one.LsnsAt(Tier::kCommitted), other.LsnsAt(Tier::kCommitted));
  EXPECT_EQ(one.LsnsAt(Tier::kCommitted).size(), 20u);
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(20));
}

TEST_F(ProducerStreamTest, WhatIsWrongWithASeqEndsTheStreamAndSaysWhatIsExpected) {
  Start();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"seq": 5})", "3"},  // a gap
      {R"({"seq": 9223372036854775807})", "3"},
      {R"({"seq": 0})", R"({"seq": N})"},
      {R"({"seq": -1})", R"({"seq": N})"},
      {R"({"seq": 1.5})", "whole number"},
      {R"({"seq": "3"})", "not a number"},
      {R"({"Seq": 3})", "unknown key"},
      {"garbage", "JSON"},
      {"", "has no seq"},
  };
  for (const auto& [metadata, expected] : cases) {
    SCOPED_TRACE(metadata);
    Writer writer = OpenProducer(std::string("p ") + metadata);
    writer.SendSeq(1);
    writer.SendSeq(2);
    const Lsn before = [&] {
      RunLoop();
      return last_lsn();
    }();
    writer.SendWithMetadata(100, metadata);
    writer.SendSeq(3);
    ASSERT_TRUE(Await([&] { return writer.Ended(); }));
    EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
    EXPECT_EQ(writer.retryable(), "false");
    EXPECT_NE(writer.message().find("batch 2 of the stream"), std::string::npos)
        << writer.message();
    EXPECT_NE(writer.message().find(expected), std::string::npos) << writer.message();
    EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), 2u) << "what came before keeps its acks";
    EXPECT_GE(last_lsn(), before);
  }
  const auto ids = [&] { return deployment.ReadIds(kOrders); };
  ASSERT_TRUE(Await([&] { return AllCommitted(*engine); }));
  EXPECT_FALSE(ids().contains(100));
}

TEST_F(ProducerStreamTest, TheFirstSeqOfAnUnknownProducerIsOne) {
  Start();
  Writer writer = OpenProducer("new");
  writer.SendSeq(2);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
  EXPECT_NE(writer.message().find("1"), std::string::npos) << writer.message();
  EXPECT_EQ(last_lsn(), kNoLsn);
}

TEST_F(ProducerStreamTest, ASeqWithoutAProducerIsRefusedButOtherMetadataIsTheClients) {
  Start();
  Writer writer = OpenOrders();
  writer.SendWithMetadata(0, "hello");
  writer.SendWithMetadata(1, R"({"trace": "abc"})");
  writer.SendWithMetadata(2, std::string(10'000, 'x'));
  writer.SendWithMetadata(3, R"({"seq": 1})");
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
  EXPECT_NE(writer.message().find("arka-producer"), std::string::npos) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), 3u);
}

TEST_F(ProducerStreamTest, ARetryIsToldTheTimesOfTheFirstTime) {
  Start();
  Writer writer = OpenProducer("p");
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
  const auto later = deployment.clock.Now() + std::chrono::seconds(30);
  Writer other = OpenProducer("q");
  int64_t seq = 0;
  ASSERT_TRUE(Await([&] {
    if (seq < 30) other.SendSeq(++seq);
    return deployment.clock.Now() > later;
  }));
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 2; }));
  for (Tier tier : kAllTiers) {
    std::vector<int64_t> times;
    for (const auto& ack : writer.acks) {
      if (ack.tier == tier) times.push_back(ack.timestamp_us);
    }
    ASSERT_EQ(times.size(), 2u);
    EXPECT_LT(std::abs(times[1] - times[0]), 1'000'000) << TierName(tier);
  }
}

TEST_F(ProducerStreamTest, TheSameBatchAgainAndAgainPausesTheStreamAndThenEndsIt) {
  options.admission_timeout = std::chrono::seconds(3);
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer writer = OpenProducer("p", {{kAckUntil, "LOCAL_DISK"}});
  for (int i = 0; i < 100; ++i) writer.SendSeq(1);
  ASSERT_TRUE(
      Await([&] { return writer.LsnsAt(Tier::kMemory).size() == acks::AckCursors::kMaxBusy; }));
  EXPECT_FALSE(writer.Ended());
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kResourceExhausted) << writer.message();
  EXPECT_EQ(writer.retryable(), "true");
  EXPECT_EQ(writer.LsnsAt(Tier::kLocalDisk).size(), acks::AckCursors::kMaxBusy);
  EXPECT_EQ(last_lsn(), kFirstLsn);
}

TEST_F(ProducerStreamTest, APausedStreamGoesOnWhenAcksHaveCome) {
  Start();
  Writer writer = OpenProducer("p", {{kAckUntil, "COMMITTED"}});
  for (int i = 0; i < 200; ++i) writer.SendSeq(1);
  writer.SendSeq(2);
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kOk) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kCommitted).size(), 201u);
  EXPECT_EQ(deployment.ReadIds(kOrders), SeqsOnce(2));
}

TEST_F(ProducerStreamTest, ARetryIsTakenWhileMemoryIsFull) {
  deployment.options.max_unflushed_bytes = 64 << 10;
  deployment.catalog_faults.Add({.matches = OfKind("commit"), .times = kForGood});
  Start();
  Writer writer = OpenProducer("p");
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  writer.SendSeq(1);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 2; }));
  EXPECT_EQ(last_lsn(), kFirstLsn);
}

}  // namespace
}  // namespace arka::flight

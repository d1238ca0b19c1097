#include "arka/flight/write_stream.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using ingest::kOrders;
using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::GrpcCode;

const std::string kAckUntil(protocol::kAckUntilHeader);
const std::string kAcks(protocol::kAcksHeader);

class WriteStreamTest : public ::testing::Test, protected FlightFixture {
 protected:
  /// A log with room for some ten writes of 1000 rows.
  void SmallLog() {
    deployment.options.log.segment_bytes = 64 << 10;
    deployment.options.log.max_bytes = 160 << 10;
  }

  /// For every LSN its tiers in the order in which they were told.
  static std::map<Lsn, std::vector<Tier>> TiersOf(const Writer& writer) {
    std::map<Lsn, std::vector<Tier>> tiers;
    for (const auto& ack : writer.acks) tiers[ack.first].push_back(ack.tier);
    return tiers;
  }
};

TEST_F(WriteStreamTest, HeadersAndTheAckSchemaGoOutBeforeTheClientSaysAnything) {
  Start();
  Writer named = Open({{"arka-session", "till 4"}});
  Writer unnamed = Open();
  RunLoop();
  for (Writer* writer : {&named, &unnamed}) {
    writer->Collect();
    EXPECT_EQ(writer->schemas, 1);
    EXPECT_FALSE(writer->Ended());
    ASSERT_TRUE(writer->call->headers().has_value());
  }
  EXPECT_EQ(transport::Find(*named.call->headers(), "arka-session"), "till 4");
  EXPECT_EQ(transport::Find(*unnamed.call->headers(), "arka-session")->size(), 36u);
}

TEST_F(WriteStreamTest, TheDescriptorMayComeAloneOrWithTheSchema) {
  Start();
  Writer alone = Open();
  alone.SendDescriptor({"streaming_write", "sales.orders"});
  alone.SendSchema(*IdSchema());
  alone.SendIds(0);
  Writer together = OpenOrders();
  together.SendIds(1);
  ASSERT_TRUE(Await([&] { return alone.LsnsAt(Tier::kCommitted).size() == 1; }));
  ASSERT_TRUE(Await([&] { return together.LsnsAt(Tier::kCommitted).size() == 1; }));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(2));
}

TEST_F(WriteStreamTest, EveryWriteIsToldEveryTierInOrder) {
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < 20; ++i) writer.SendIds(i);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 20; }));
  const auto tiers = TiersOf(writer);
  ASSERT_EQ(tiers.size(), 20u);
  EXPECT_EQ(tiers.begin()->first, kFirstLsn);
  for (const auto& [lsn, told] : tiers) {
    EXPECT_EQ(told, std::vector<Tier>(kAllTiers.begin(), kAllTiers.end())) << lsn;
  }
  const int64_t snapshot =
      deployment.catalog_memory.LoadTable(kOrders)->metadata->current_snapshot_id;
  for (const auto& ack : writer.acks) {
    EXPECT_EQ(ack.snapshot_id, ack.tier == Tier::kCommitted ? snapshot : 0);
    EXPECT_GE(ack.timestamp_us, 1767225600'000000);  // 2026, as the clock has it
  }
  EXPECT_FALSE(writer.Ended()) << "the client has not half-closed";
}

TEST_F(WriteStreamTest, OnlyTheTiersAskedForAreTold) {
  Start();
  Writer writer = OpenOrders({{kAcks, "LOCAL_DISK,COMMITTED"}, {kAckUntil, "COMMITTED"}});
  for (int64_t i = 0; i < 5; ++i) writer.SendIds(i);
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kOk);
  for (const auto& [lsn, told] : TiersOf(writer)) {
    EXPECT_EQ(told, (std::vector{Tier::kLocalDisk, Tier::kCommitted})) << lsn;
  }
  EXPECT_EQ(writer.acks.size(), 10u);
}

TEST_F(WriteStreamTest, AHalfClosedStreamEndsAtTheTierItAskedFor) {
  for (Tier until : kAllTiers) {
    SCOPED_TRACE(TierName(until));
    Stop();
    Start();
    Writer writer = OpenOrders({{kAckUntil, std::string(TierName(until))}});
    for (int64_t i = 0; i < 3; ++i) writer.SendIds(i);
    writer.call->HalfClose();
    ASSERT_TRUE(Await([&] { return writer.Ended(); }));
    EXPECT_EQ(writer.code(), GrpcCode::kOk);
    for (Tier tier : kAllTiers) {
      if (tier <= until) {
        EXPECT_EQ(writer.LsnsAt(tier).size(), 3u);
      }
    }
  }
}

TEST_F(WriteStreamTest, AHalfClosedStreamWaitsForAnObjectStoreThatIsAway) {
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  writer.call->HalfClose();
  // First: simulated seconds may pass before the log's thread has run at all.
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  const auto later = deployment.clock.Now() + seconds(20);
  ASSERT_TRUE(Await([&] { return deployment.clock.Now() > later; }));
  EXPECT_FALSE(writer.Ended());
  EXPECT_EQ(writer.LsnsAt(Tier::kLocalDisk).size(), 1u);
  deployment.object_faults.Clear();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), 1u);
  EXPECT_EQ(writer.code(), GrpcCode::kOk);
}

TEST_F(WriteStreamTest, AStreamWithoutABatchEndsWithOk) {
  Start();
  Writer silent = Open();
  silent.call->HalfClose();
  Writer with_schema = OpenOrders();
  with_schema.call->HalfClose();
  for (Writer* writer : {&silent, &with_schema}) {
    ASSERT_TRUE(Await([&] { return writer->Ended(); }));
    EXPECT_EQ(writer->code(), GrpcCode::kOk) << writer->message();
    EXPECT_TRUE(writer->acks.empty());
  }
}

TEST_F(WriteStreamTest, ABatchWithoutRowsIsAWriteOfItsOwn) {
  Start();
  Writer writer = OpenOrders({{kAckUntil, "COMMITTED"}});
  writer.SendIds(0, 0);
  writer.SendIds(0);
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kOk) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kCommitted), (std::vector{Lsn{1000}, Lsn{1001}}));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(1));
}

TEST_F(WriteStreamTest, WatermarksComeToThoseWhoAskAtMostEvery100Milliseconds) {
  Start();
  Writer asks = OpenOrders({{"arka-watermarks", "true"}, {kAckUntil, "COMMITTED"}});
  Writer does_not = OpenOrders();
  const auto begun = deployment.clock.Now();
  for (int64_t i = 0; i < 5; ++i) asks.SendIds(i);
  asks.call->HalfClose();
  ASSERT_TRUE(Await([&] { return asks.Ended(); }));
  ASSERT_FALSE(asks.watermarks.empty());
  const auto passed = (deployment.clock.Now() - begun) / milliseconds(100);
  EXPECT_LE(static_cast<int64_t>(asks.watermarks.size()), passed + 2);
  for (size_t i = 1; i < asks.watermarks.size(); ++i) {
    EXPECT_NE(asks.watermarks[i], asks.watermarks[i - 1]);
    EXPECT_GE(asks.watermarks[i].committed_lsn, asks.watermarks[i - 1].committed_lsn);
  }
  const protocol::Watermarks all{Lsn{1004}, Lsn{1004}, Lsn{1004}, Lsn{1004}};
  EXPECT_EQ(asks.watermarks.back(), all);
  does_not.Collect();
  EXPECT_TRUE(does_not.watermarks.empty());
}

TEST_F(WriteStreamTest, ABadBatchEndsTheStreamAtItsPositionAndEarlierWritesKeepTheirAcks) {
  Start();
  Writer writer = OpenOrders();
  Writer bystander = OpenOrders();
  for (int64_t i = 0; i < 3; ++i) writer.SendIds(i);
  auto payload = BatchPayload(*IdBatch(3, 100));
  payload.body_length = 8;  // 800 bytes are claimed
  payload.body_buffers = {nullptr, arrow::Buffer::FromString("12345678")};
  writer.call->Send(FlightMessage("", &payload));
  writer.SendIds(4);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
  EXPECT_NE(writer.message().find("batch 3 of the stream"), std::string::npos) << writer.message();
  EXPECT_EQ(writer.retryable(), "false");
  EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), 3u);
  EXPECT_EQ(last_lsn(), Lsn{1002}) << "nothing after the bad batch is written";

  bystander.SendIds(3);
  ASSERT_TRUE(Await([&] { return bystander.LsnsAt(Tier::kCommitted).size() == 1; }));
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(4));
}

TEST_F(WriteStreamTest, BytesThatAreNoFlightDataEndTheStream) {
  Start();
  for (const std::string garbage : {"\xff", "\x0a\x7f", "\x12\x04nope", "GET / HTTP/1.1"}) {
    Writer first = Open();
    first.call->Send(garbage);
    Writer later = OpenOrders();
    later.SendIds(0);
    later.call->Send(garbage);
    for (Writer* writer : {&first, &later}) {
      ASSERT_TRUE(Await([&] { return writer->Ended(); }));
      EXPECT_EQ(writer->code(), GrpcCode::kInvalidArgument) << writer->message();
    }
    EXPECT_EQ(later.LsnsAt(Tier::kObjectStorage).size(), 1u);
  }
}

TEST_F(WriteStreamTest, AppMetadataAloneIsNotAWrite) {
  Start();
  Writer writer = OpenOrders();
  writer.call->Send("\x1a\x05hello");
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kMemory).size() == 1; }));
  EXPECT_EQ(last_lsn(), kFirstLsn);
}

TEST_F(WriteStreamTest, ASecondSchemaEndsTheStream) {
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  writer.SendSchema(*IdSchema());
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
  EXPECT_NE(writer.message().find("a second schema"), std::string::npos) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), 1u);
}

TEST_F(WriteStreamTest, ASchemaThatIsNotTheTablesIsRefusedWithBothAndTheFirstDifference) {
  Start();
  Writer first = OpenOrders();
  first.SendIds(0);
  ASSERT_TRUE(Await([&] { return first.LsnsAt(Tier::kMemory).size() == 1; }));
  const auto other = arrow::schema({arrow::field("id", arrow::utf8(), /*nullable=*/false)});
  Writer writer = Open();
  writer.SendSchema(*other, {"streaming_write", "sales", "orders"});
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
  EXPECT_EQ(writer.retryable(), "false");
  for (const char* part : {"long", "string", "id"}) {
    EXPECT_NE(writer.message().find(part), std::string::npos) << writer.message();
  }
}

TEST_F(WriteStreamTest, ADescriptorIsNeededAndMustBeOneToWriteTo) {
  Start();
  messages::FlightDescriptor cmd;
  cmd.set_type(messages::FlightDescriptor::CMD);
  cmd.set_cmd("select 1");
  struct Refused {
    std::string descriptor;
    std::string says;
  };
  for (const Refused& refused :
       {Refused{"", "no FlightDescriptor"}, Refused{cmd.SerializeAsString(), "no path"},
        Refused{PathDescriptor({}), "no path"},
        Refused{PathDescriptor({"status"}), "streaming_write"},
        Refused{PathDescriptor({"sales", "orders"}), "streaming_write"},
        Refused{PathDescriptor({"streaming_write", "../../etc/x"}), "../../etc/x"},
        Refused{PathDescriptor({"streaming_write", "a\nb"}), ""},
        Refused{PathDescriptor({"streaming_write", ""}), ""},
        Refused{std::string("\xff\xff", 2), "does not parse"}}) {
    Writer writer = Open();
    const auto payload = SchemaPayload(*IdSchema());
    writer.call->Send(FlightMessage(refused.descriptor, &payload));
    RunLoop();
    ASSERT_TRUE(writer.Ended()) << refused.says;
    EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
    EXPECT_NE(writer.message().find(refused.says), std::string::npos) << writer.message();
  }
}

TEST_F(WriteStreamTest, ATableThatMayNotBeMadeIsNotFound) {
  deployment.options.auto_create = false;
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kNotFound);
  EXPECT_NE(writer.message().find("sales.orders"), std::string::npos) << writer.message();
}

TEST_F(WriteStreamTest, BadHeadersAreRefusedByNameAndValue) {
  Start();
  for (const auto& header : transport::Metadata{{"arka-acks", "DISK"},
                                                {"arka-ack-until", "memory"},
                                                {"arka-watermarks", "yes"},
                                                {"arka-session", ""}}) {
    Writer writer = Open({header});
    RunLoop();
    ASSERT_TRUE(writer.Ended());
    EXPECT_EQ(writer.code(), GrpcCode::kInvalidArgument);
    EXPECT_NE(writer.message().find(header.first), std::string::npos) << writer.message();
  }
}

TEST_F(WriteStreamTest, AcksThatAreNotReadStallNoWritesAndFillNoMemory) {
  constexpr int64_t kWrites = 20'000;
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kMemory).size() == 1; }));
  writer.call->HoldReading();
  for (int64_t i = 1; i < kWrites; ++i) {
    writer.SendIds(i);
    if (i % 100 == 0) RunLoop();
  }
  ASSERT_TRUE(Await([&] { return ingest::AllCommitted(*engine) && last_lsn() > kFirstLsn; }));
  EXPECT_EQ(last_lsn(), Lsn{kFirstLsn.value + kWrites - 1});
  EXPECT_LT(last_call().queued_bytes(), size_t{1} << 20);

  writer.call->ReadOn();
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == kWrites; }))
      << "MEMORY " << writer.LsnsAt(Tier::kMemory).size() << ", COMMITTED "
      << writer.LsnsAt(Tier::kCommitted).size() << ", queued " << last_call().queued_bytes();
  for (const auto& [lsn, told] : TiersOf(writer)) EXPECT_EQ(told.size(), 4u) << lsn;
}

TEST_F(WriteStreamTest, LargeBatchesAreCheckedAsideAndKeepTheirPlace) {
  constexpr int64_t kRows = 50'000;  // 400 KB
  Start();
  Writer writer = OpenOrders({{kAckUntil, "COMMITTED"}});
  for (int64_t i = 0; i < 4; ++i) {
    writer.SendIds(i * (kRows + 1), kRows);
    writer.SendIds(i * (kRows + 1) + kRows);
  }
  writer.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kOk) << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kMemory).size(), 8u);
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(4 * (kRows + 1)));
}

TEST_F(WriteStreamTest, AStreamPausesWhereTheDiskBudgetIsUsedUpAndGoesOnWithRoom) {
  SmallLog();
  deployment.warehouse_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer first = OpenOrders({{kAckUntil, "COMMITTED"}});
  Writer second = OpenOrders({{kAckUntil, "COMMITTED"}});
  for (int64_t i = 0; i < 20; ++i) {
    first.SendIds(i * 1000, 1000);
    second.SendIds(20'000 + i * 1000, 1000);
  }
  first.call->HalfClose();
  second.call->HalfClose();
  ASSERT_TRUE(Await([&] { return last_lsn() >= Lsn{1006}; }));
  const auto later = deployment.clock.Now() + seconds(10);
  ASSERT_TRUE(Await([&] { return deployment.clock.Now() > later; }));
  EXPECT_LT(last_lsn(), Lsn{1018});
  EXPECT_EQ(engine->status().waiting_writes, 2);
  EXPECT_FALSE(first.Ended());

  deployment.warehouse_faults.Clear();
  ASSERT_TRUE(Await([&] { return first.Ended() && second.Ended(); }));
  EXPECT_EQ(first.code(), GrpcCode::kOk) << first.message();
  EXPECT_EQ(second.code(), GrpcCode::kOk) << second.message();
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(40'000));
}

TEST_F(WriteStreamTest, AWriteThatFindsNoRoomInTimeIsRefusedAndMayBeRetried) {
  SmallLog();
  deployment.warehouse_faults.Add({.matches = OfKind("put"), .times = kForGood});
  options.admission_timeout = seconds(3);
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < 20; ++i) writer.SendIds(i * 1000, 1000);
  const auto begun = deployment.clock.Now();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_GE(deployment.clock.Now() - begun, seconds(3));
  EXPECT_EQ(writer.code(), GrpcCode::kResourceExhausted);
  EXPECT_EQ(writer.retryable(), "true");
  EXPECT_NE(writer.message().find("write_buffer.admission_timeout"), std::string::npos);
  EXPECT_NE(writer.message().find("wal.max_bytes"), std::string::npos) << writer.message();
  EXPECT_EQ(engine->status().refused_writes, 1);
  EXPECT_NE(writer.message().find("batch " + std::to_string(writer.LsnsAt(Tier::kMemory).size())),
            std::string::npos)
      << writer.message();
  EXPECT_EQ(writer.LsnsAt(Tier::kObjectStorage).size(), writer.LsnsAt(Tier::kMemory).size());
}

TEST_F(WriteStreamTest, AnIdleStreamIsEndedAndAnyMessageKeepsItOpen) {
  options.idle_timeout = seconds(10);
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < 3; ++i) {
    writer.SendIds(i);
    const auto later = deployment.clock.Now() + seconds(8);
    ASSERT_TRUE(Await([&] { return deployment.clock.Now() >= later; }));
    ASSERT_FALSE(writer.Ended());
  }
  const auto silent_since = deployment.clock.Now();
  ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  EXPECT_EQ(writer.code(), GrpcCode::kUnavailable);
  EXPECT_NE(writer.message().find("stream_idle_timeout"), std::string::npos);
  EXPECT_LE(deployment.clock.Now() - silent_since, seconds(12)) << "not twice the time-out";
}

TEST_F(WriteStreamTest, APoisonedLogEndsEveryStreamWithWhatWasReached) {
  Start();
  Writer writer = OpenOrders();
  Writer idle = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  waiting_loops = 2;
  deployment.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
  writer.SendIds(1);
  ASSERT_TRUE(Await([&] { return writer.Ended() && idle.Ended(); }));
  for (Writer* ended : {&writer, &idle}) {
    EXPECT_EQ(ended->code(), GrpcCode::kUnavailable) << ended->message();
    EXPECT_EQ(ended->retryable(), "true");
  }
  EXPECT_EQ(writer.LsnsAt(Tier::kMemory).size(), 2u) << "MEMORY was reached, and is told";
  EXPECT_EQ(writer.LsnsAt(Tier::kLocalDisk).size(), 1u) << "LOCAL_DISK was not";

  Writer late = OpenOrders();
  late.SendIds(2);
  ASSERT_TRUE(Await([&] { return late.Ended(); }));
  EXPECT_EQ(late.code(), GrpcCode::kUnavailable) << late.message();
  EXPECT_TRUE(late.acks.empty());
}

TEST_F(WriteStreamTest, AtShutdownStreamsGetTheirAcksToCommittedAndThenEnd) {
  Start();
  Writer writing = OpenOrders();
  Writer half_closed = OpenOrders({{kAckUntil, "COMMITTED"}});
  Writer idle = Open();
  for (int64_t i = 0; i < 5; ++i) {
    writing.SendIds(2 * i);
    half_closed.SendIds(2 * i + 1);
  }
  half_closed.call->HalfClose();
  ASSERT_TRUE(Await([&] { return writing.LsnsAt(Tier::kMemory).size() == 5; }));
  service().Shutdown();
  RunLoop();
  writing.SendIds(100);
  ASSERT_TRUE(Await([&] { return writing.Ended() && half_closed.Ended() && idle.Ended(); }));
  EXPECT_EQ(writing.code(), GrpcCode::kUnavailable);
  EXPECT_EQ(writing.retryable(), "true");
  EXPECT_EQ(writing.LsnsAt(Tier::kCommitted).size(), 5u);
  EXPECT_EQ(half_closed.code(), GrpcCode::kOk) << half_closed.message();
  EXPECT_EQ(half_closed.LsnsAt(Tier::kCommitted).size(), 5u);
  EXPECT_EQ(idle.code(), GrpcCode::kUnavailable);
  EXPECT_EQ(deployment.ReadIds(kOrders), ingest::EachOnce(10));

  Writer late = Open();
  RunLoop();
  ASSERT_TRUE(late.Ended());
  EXPECT_EQ(late.code(), GrpcCode::kUnavailable);
}

/// How a stream's life is cut short.
enum class Cut { kCancel, kServerStops };

/// Where it is then. `gate` holds back what the engine does aside of the loop.
struct Point {
  const char* name;
  std::function<void(FlightFixture&, Writer&, std::shared_future<void> gate)> reach;
};

void HoldOpener(FlightFixture& fixture, std::shared_future<void> gate) {
  fixture.engine->OpenTable(ingest::kUsers, IdSchema(), [gate](auto) { gate.wait(); });
}

const Point kPoints[] = {
    {"nothing sent", [](auto& fixture, auto&, auto) { fixture.RunLoop(); }},
    {"descriptor sent",
     [](auto& fixture, auto& writer, auto) {
       writer.SendDescriptor({"streaming_write", "sales", "orders"});
       fixture.RunLoop();
     }},
    {"opening",
     [](auto& fixture, auto& writer, auto gate) {
       HoldOpener(fixture, gate);
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       for (int64_t i = 0; i < 10; ++i) writer.SendIds(i);
       fixture.RunLoop();
     }},
    {"opening, paused",
     [](auto& fixture, auto& writer, auto gate) {
       HoldOpener(fixture, gate);
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       for (int64_t i = 0; i < 12; ++i) writer.SendIds(i, 100'000);
       fixture.RunLoop();
     }},
    {"checking aside",
     [](auto& fixture, auto& writer, auto gate) {
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       writer.SendIds(0);
       ASSERT_TRUE(fixture.Await([&] { return !writer.LsnsAt(Tier::kMemory).empty(); }));
       fixture.engine->RunAside([gate] { gate.wait(); });
       writer.SendIds(1, 100'000);
       writer.SendIds(2);
       fixture.RunLoop();
     }},
    {"waiting for room",
     [](auto& fixture, auto& writer, auto) {
       fixture.deployment.warehouse_faults.Add({.matches = OfKind("put"), .times = kForGood});
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       for (int64_t i = 0; i < 1000; ++i) writer.SendIds(1000 * i, 1000);
       ASSERT_TRUE(fixture.Await([&] { return writer.LsnsAt(Tier::kMemory).size() > 100; }));
       fixture.RunLoop();
     }},
    {"acks due, not read",
     [](auto& fixture, auto& writer, auto) {
       writer.call->HoldReading();
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       for (int64_t i = 0; i < 10'000; ++i) writer.SendIds(i);
       ASSERT_TRUE(fixture.Await([&] { return fixture.last_lsn() == Lsn{10'999}; }))
           << fixture.last_lsn() << " " << fixture.engine->status().problem;
     }},
    {"failed, acks due",
     [](auto& fixture, auto& writer, auto) {
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       writer.SendIds(0);
       writer.call->Send("garbage");
       fixture.RunLoop();
     }},
    {"half-closed, acks due", [](auto& fixture, auto& writer, auto) {
       writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
       writer.SendIds(0);
       writer.call->HalfClose();
       fixture.RunLoop();
     }}};

TEST_F(WriteStreamTest, AStreamMayBeCutShortAtEveryPoint) {
  for (const Point& point : kPoints) {
    for (const Cut cut : {Cut::kCancel, Cut::kServerStops}) {
      SCOPED_TRACE(std::string(point.name) + (cut == Cut::kCancel ? ", cancel" : ", stop"));
      FlightFixture fixture;
      fixture.deployment.options.log.max_bytes = 2 << 20;
      fixture.Start();
      Writer writer = fixture.Open({{"arka-watermarks", "true"}});
      std::promise<void> gate;
      point.reach(fixture, writer, gate.get_future().share());
      if (cut == Cut::kServerStops) {
        gate.set_value();
        fixture.Stop();
        continue;
      }
      writer.call->Cancel();
      fixture.RunLoop();
      gate.set_value();
      EXPECT_TRUE(writer.Ended());
      // The others do not notice: there is room for them, and what is left of it does no harm.
      fixture.deployment.warehouse_faults.Clear();
      Writer next = fixture.OpenOrders();
      next.SendIds(1'000'000'000);
      ASSERT_TRUE(fixture.Await([&] { return next.LsnsAt(Tier::kCommitted).size() == 1; }));
      EXPECT_FALSE(next.Ended());
    }
  }
}

}  // namespace
}  // namespace arka::flight

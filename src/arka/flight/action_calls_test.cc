#include "arka/flight/action_calls.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using transport::GrpcCode;

const std::string kSession(protocol::kSessionHeader);

class ActionCallsTest : public ::testing::Test, protected FlightFixture {
 protected:
  Asker AskAndEnd(const std::string& type, const std::string& body) {
    Asker asker = Ask(type, body);
    EXPECT_TRUE(Await([&] { return asker.Ended(); })) << type << " " << body;
    return asker;
  }
  /// By LSN, the levels in the order in which they were told.
  static std::map<int64_t, std::vector<std::string>> ByLsn(Asker& asker) {
    std::map<int64_t, std::vector<std::string>> levels;
    for (const auto& [lsn, level] : asker.Events()) levels[lsn].push_back(level);
    return levels;
  }
  const std::vector<std::string> all_levels_ = {"MEMORY", "LOCAL_DISK", "OBJECT_STORAGE",
                                                "COMMITTED"};
};

TEST_F(ActionCallsTest, ListActionsSaysWhatThereIs) {
  Start();
  const auto call = transport->Open("/arrow.flight.protocol.FlightService/ListActions");
  call->Send("");
  call->HalfClose();
  ASSERT_TRUE(Await([&] { return call->status().has_value(); }));
  EXPECT_EQ(call->status()->code, GrpcCode::kOk);
  std::vector<std::string> names;
  while (const auto message = call->TakeMessage()) {
    messages::ActionType type;
    ASSERT_TRUE(type.ParseFromArray(message->data(), static_cast<int>(message->size())));
    names.push_back(type.type());
    EXPECT_FALSE(type.description().empty());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"last_seq",
                                             "claim_producer",
                                             "durability_status",
                                             "flush",
                                             "commit",
                                             "status",
                                             "list_sessions",
                                             "create_table",
                                             "alter_table",
                                             "drop_table",
                                             "seal",
                                             "unseal",
                                             "cancel",
                                             "CancelFlightInfo",
                                             "RenewFlightEndpoint",
                                             "SetSessionOptions",
                                             "GetSessionOptions",
                                             "CloseSession",
                                             "CreatePreparedStatement",
                                             "ClosePreparedStatement",
                                             "CancelQuery"}));
}

TEST_F(ActionCallsTest, StatusIsWhatGetFlightInfoSays) {
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
  for (const char* body : {"", "{}"}) {
    const Asker status = AskAndEnd("status", body);
    ASSERT_EQ(status.code(), GrpcCode::kOk) << status.message();
    EXPECT_EQ(status.results.at(0).at("committed_lsn"), 1000);
    EXPECT_EQ(status.results.at(0).at("tables").at(0).at("name"), "sales.orders");
  }
  EXPECT_EQ(AskAndEnd("status", R"({"x": 1})").code(), GrpcCode::kInvalidArgument);
}

TEST_F(ActionCallsTest, ListSessionsTellsWhoCanBeAskedFor) {
  Start();
  Writer open = OpenOrders({{kSession, "b open"}});
  Writer silent = OpenOrders({{kSession, "c silent"}});
  open.SendIds(0);
  {
    Writer ended = OpenOrders({{kSession, "a ended"}});
    ended.SendIds(1);
    ASSERT_TRUE(Await([&] { return ended.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  }
  ASSERT_TRUE(Await([&] { return open.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  const Asker all = AskAndEnd("list_sessions", "");
  ASSERT_EQ(all.code(), GrpcCode::kOk) << all.message();
  const auto& sessions = all.results.at(0).at("sessions");
  ASSERT_EQ(sessions.size(), 3u) << sessions;
  EXPECT_EQ(all.results.at(0).at("more"), false);
  const auto entry = [](const char* name, int open_streams, int ended, nlohmann::json lsn) {
    return nlohmann::json{{"session", name},
                          {"open_streams", open_streams},
                          {"ended_streams", ended},
                          {"last_lsn", std::move(lsn)}};
  };
  EXPECT_EQ(sessions.at(0), entry("a ended", 0, 1, sessions.at(0).at("last_lsn")));
  EXPECT_EQ(sessions.at(1), entry("b open", 1, 0, sessions.at(1).at("last_lsn")));
  EXPECT_EQ(
      sessions.at(0).at("last_lsn").get<int64_t>() + sessions.at(1).at("last_lsn").get<int64_t>(),
      2001);
  EXPECT_EQ(sessions.at(2), entry("c silent", 1, 0, nullptr));
  const Asker rest = AskAndEnd("list_sessions", R"({"after": "b open"})");
  EXPECT_EQ(rest.results.at(0).at("sessions").size(), 1u);
  EXPECT_EQ(AskAndEnd("list_sessions", R"({"after": 1})").code(), GrpcCode::kInvalidArgument);
}

TEST_F(ActionCallsTest, ManySessionsAreListedInPages) {
  Start();
  std::vector<Writer> writers;
  for (int i = 0; i < 1001; ++i) {
    writers.push_back(Open({{kSession, "s" + std::to_string(10'000 + i)}}));
  }
  RunLoop();
  const Asker first = AskAndEnd("list_sessions", "");
  ASSERT_EQ(first.results.at(0).at("sessions").size(), 1000u);
  EXPECT_EQ(first.results.at(0).at("more"), true);
  const auto second = AskAndEnd("list_sessions", R"({"after": "s10999"})");
  ASSERT_EQ(second.results.at(0).at("sessions").size(), 1u);
  EXPECT_EQ(second.results.at(0).at("sessions").at(0).at("session"), "s11000");
  EXPECT_EQ(second.results.at(0).at("more"), false);
}

TEST_F(ActionCallsTest, AnUnknownActionIsNotFoundAndTheKnownOnesAreNamed) {
  Start();
  const Asker asker = AskAndEnd("last_sec", "{}");
  EXPECT_EQ(asker.code(), GrpcCode::kNotFound);
  for (const char* part : {"last_sec", "last_seq", "durability_status"}) {
    EXPECT_NE(asker.message().find(part), std::string::npos) << asker.message();
  }
}

TEST_F(ActionCallsTest, ABodyThatIsWrongIsRefusedByName) {
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  RunLoop();
  std::string many = "1000";
  for (int i = 0; i < 10'000; ++i) many += ",1000";
  const std::tuple<const char*, std::string, const char*> cases[] = {
      {"last_seq", "garbage", "JSON"},
      {"last_seq", "", "JSON"},
      {"last_seq", R"({"producer": "p"})", "'table'"},
      {"last_seq", R"({"producer": 7, "table": "t"})", "'producer'"},
      {"last_seq", R"({"producer": "p", "table": "t", "tabel": "t"})", "'tabel'"},
      {"last_seq", R"({"producer": "p", "table": "../etc"})", "../etc"},
      {"last_seq", R"({"producer": "a\nb", "table": "t"})", "printable"},
      {"claim_producer", R"({"producer": "p"})", "'table'"},
      {"durability_status", R"({"after_lsn": 7})", "'session'"},
      {"durability_status", R"({"session": "s", "after_lsn": "7"})", "'after_lsn'"},
      {"durability_status", R"({"session": "s", "until": "DISK"})", "'until'"},
      {"durability_status", R"({"session": "s", "lsns": [1000]})", "'session'"},
      {"durability_status", R"({"lsns": [1000.5]})", "'lsns'"},
      {"durability_status", R"({"lsns": []})", "'lsns'"},
      {"durability_status", R"({"lsns": [)" + many + "]}", "10000"},
  };
  for (const auto& [type, body, part] : cases) {
    SCOPED_TRACE(body.substr(0, 100));
    const Asker asker = AskAndEnd(type, body);
    EXPECT_EQ(asker.code(), GrpcCode::kInvalidArgument);
    EXPECT_NE(asker.message().find(part), std::string::npos) << asker.message();
    EXPECT_TRUE(asker.results.empty());
  }
}

TEST_F(ActionCallsTest, LastSeqTellsWhereAProducerIsToGoOn) {
  Start();
  Writer writer = OpenProducer("till 4");
  for (int64_t seq = 1; seq <= 7; ++seq) writer.SendSeq(seq);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 7; }));
  const Asker known = AskAndEnd("last_seq", R"({"producer": "till 4", "table": "sales.orders"})");
  ASSERT_EQ(known.code(), GrpcCode::kOk) << known.message();
  EXPECT_EQ(
      known.results.at(0),
      (nlohmann::json{
          {"producer", "till 4"}, {"table", "sales.orders"}, {"last_seq", 7}, {"lsn", 1006}}));
  const Asker unknown = AskAndEnd("last_seq", R"({"producer": "new", "table": "sales.orders"})");
  ASSERT_EQ(unknown.code(), GrpcCode::kOk) << unknown.message();
  EXPECT_EQ(unknown.results.at(0)["last_seq"], 0);
  EXPECT_EQ(unknown.results.at(0)["lsn"], nullptr);
  EXPECT_FALSE(unknown.results.at(0).contains("forgotten_through"));
  const Asker nowhere = AskAndEnd("last_seq", R"({"producer": "p", "table": "nowhere"})");
  EXPECT_EQ(nowhere.code(), GrpcCode::kNotFound);
}

TEST_F(ActionCallsTest, LastSeqSaysThatAProducerMayHaveBeenForgotten) {
  deployment.options.producers.max_producers = 1;
  deployment.options.producers.expire_after = std::chrono::milliseconds(1);
  Start();
  {
    Writer writer = OpenProducer("p");
    writer.SendSeq(1);
    ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
    writer.call->HalfClose();
    ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  }
  deployment.clock.Advance(std::chrono::seconds(2));
  Writer other = OpenProducer("q");
  other.SendSeq(1);
  ASSERT_TRUE(Await([&] { return other.LsnsAt(Tier::kMemory).size() == 1; }));
  const Asker asker = AskAndEnd("last_seq", R"({"producer": "p", "table": "sales.orders"})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  EXPECT_EQ(asker.results.at(0)["last_seq"], 0);
  EXPECT_EQ(asker.results.at(0)["forgotten_through"], 1000);
}

TEST_F(ActionCallsTest, LastSeqIsKnownAfterARestart) {
  Start();
  {
    Writer writer = OpenProducer("p");
    for (int64_t seq = 1; seq <= 3; ++seq) writer.SendSeq(seq);
    ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 3; }));
  }
  Stop();
  Start();
  const Asker asker = AskAndEnd("last_seq", R"({"producer": "p", "table": "sales.orders"})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  EXPECT_EQ(asker.results.at(0)["last_seq"], 3);
  EXPECT_EQ(asker.results.at(0)["lsn"], 1002);
}

TEST_F(ActionCallsTest, ASessionIsAskedForAfterItsStreamIsGone) {
  Start();
  {
    Writer writer = OpenOrders({{kSession, "s 1"}});
    for (int64_t i = 0; i < 20; ++i) writer.SendIds(i);
    ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kMemory).size() == 20; }));
    writer.call->Cancel();
  }
  Asker asker = AskAndEnd("durability_status", R"({"session": "s 1", "until": "COMMITTED"})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  const auto levels = ByLsn(asker);
  ASSERT_EQ(levels.size(), 20u);
  for (const auto& [lsn, of_lsn] : levels) EXPECT_EQ(of_lsn, all_levels_) << lsn;
  const auto& last = asker.results.back()["events"].back();
  EXPECT_EQ(last["is_durability_update"], true);
  EXPECT_EQ(last["snapshot_id"],
            deployment.catalog_memory.LoadTable(ingest::kOrders)->metadata->current_snapshot_id);
  EXPECT_EQ(last["timestamp"].get<std::string>().substr(0, 5), "2026-");
}

TEST_F(ActionCallsTest, WithoutUntilACallEndsWithWhatIsDue) {
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer writer = OpenOrders({{kSession, "s"}});
  for (int64_t i = 0; i < 5; ++i) writer.SendIds(i);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 5; }));
  Asker asker = AskAndEnd("durability_status", R"({"session": "s", "after_lsn": 1002})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  const auto levels = ByLsn(asker);
  ASSERT_EQ(levels.size(), 2u);
  EXPECT_EQ(levels.begin()->first, 1003);
  for (const auto& [lsn, of_lsn] : levels) {
    EXPECT_EQ(of_lsn, (std::vector<std::string>{"MEMORY", "LOCAL_DISK"})) << lsn;
  }
}

TEST_F(ActionCallsTest, NothingAboveIsAnEmptyAnswer) {
  Start();
  Writer writer = OpenOrders({{kSession, "s"}});
  writer.SendIds(0);
  RunLoop();
  const Asker asker =
      AskAndEnd("durability_status", R"({"session": "s", "after_lsn": 9223372036854775807})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  EXPECT_EQ(asker.results.at(0), (nlohmann::json{{"events", nlohmann::json::array()}}));
}

TEST_F(ActionCallsTest, UntilWaitsForWritesToEveryTable) {
  Start();
  Writer orders = OpenOrders({{kSession, "s"}});
  Writer users = Open({{kSession, "s"}});
  users.SendSchema(*IdSchema(), {"streaming_write", "users"});
  for (int64_t i = 0; i < 3; ++i) {
    orders.SendIds(i);
    users.SendIds(i);
    RunLoop();
  }
  ASSERT_TRUE(Await([&] { return users.LsnsAt(Tier::kMemory).size() == 3; }));
  Asker asker = AskAndEnd("durability_status", R"({"session": "s", "until": "COMMITTED"})");
  const auto levels = ByLsn(asker);
  ASSERT_EQ(levels.size(), 6u);
  for (const auto& [lsn, of_lsn] : levels) EXPECT_EQ(of_lsn, all_levels_) << lsn;
}

TEST_F(ActionCallsTest, EventsWaitForAClientThatDoesNotRead) {
  Start();
  Writer writer = OpenOrders({{kSession, "s"}, {"arka-acks", "COMMITTED"}});
  for (int64_t i = 0; i < 5000; ++i) writer.SendIds(i);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 5000; }));
  Asker asker = Ask("durability_status", R"({"session": "s", "until": "COMMITTED"})");
  asker.call->HoldReading();
  RunLoop();
  const auto later = deployment.clock.Now() + std::chrono::seconds(2);
  ASSERT_TRUE(Await([&] { return deployment.clock.Now() > later; }));
  EXPECT_LT(last_call().queued_bytes(), size_t{600} << 10) << "20,000 events are 3 MB";
  EXPECT_FALSE(asker.call->status().has_value());
  asker.call->ReadOn();
  ASSERT_TRUE(Await([&] { return asker.Ended(); }));
  EXPECT_EQ(asker.Events().size(), 20'000u);
  for (const auto& result : asker.results) EXPECT_LE(result["events"].size(), 1000u);
}

TEST_F(ActionCallsTest, AnUnknownSessionIsNotFound) {
  Start();
  const Asker asker = AskAndEnd("durability_status", R"({"session": "nobody"})");
  EXPECT_EQ(asker.code(), GrpcCode::kNotFound);
  EXPECT_NE(asker.message().find("acks.retention"), std::string::npos) << asker.message();
}

TEST_F(ActionCallsTest, ASessionIsForgottenAfterItsRetention) {
  options.ack_retention = std::chrono::seconds(60);
  Start();
  {
    Writer writer = OpenOrders({{kSession, "s"}});
    writer.SendIds(0);
    ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
    writer.call->Cancel();
  }
  EXPECT_EQ(AskAndEnd("durability_status", R"({"session": "s"})").code(), GrpcCode::kOk);
  const auto later = deployment.clock.Now() + std::chrono::seconds(80);
  ASSERT_TRUE(Await([&] { return deployment.clock.Now() > later; }));
  EXPECT_EQ(AskAndEnd("durability_status", R"({"session": "s"})").code(), GrpcCode::kNotFound);
}

TEST_F(ActionCallsTest, TheLevelOfAnyLsnIsAnswered) {
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < 3; ++i) writer.SendIds(i);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 3; }));
  const Asker asker = AskAndEnd("durability_status", R"({"lsns": [1002, 1000]})");
  ASSERT_EQ(asker.code(), GrpcCode::kOk) << asker.message();
  const auto& levels = asker.results.at(0)["levels"];
  ASSERT_EQ(levels.size(), 2u);
  EXPECT_EQ(levels[0]["lsn"], 1002);
  EXPECT_EQ(levels[1]["lsn"], 1000);
  for (const auto& level : levels) {
    EXPECT_EQ(level["durability_level"], "LOCAL_DISK");
    EXPECT_EQ(level["lost"], false);
  }
  const Asker never = AskAndEnd("durability_status", R"({"lsns": [1000, 777777]})");
  EXPECT_EQ(never.code(), GrpcCode::kNotFound);
  EXPECT_NE(never.message().find("777777"), std::string::npos) << never.message();
  EXPECT_TRUE(never.results.empty());
}

TEST_F(ActionCallsTest, AFailedLogEndsACallThatWaits) {
  deployment.object_faults.Add({.matches = OfKind("put"), .times = kForGood});
  Start();
  Writer writer = OpenOrders({{kSession, "s"}});
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 1; }));
  Asker asker = Ask("durability_status", R"({"session": "s", "until": "COMMITTED"})");
  RunLoop();
  EXPECT_FALSE(asker.Ended());
  deployment.disk_faults.Add({.matches = OfKind("sync"), .times = kForGood});
  waiting_loops = 2;
  writer.SendIds(1);
  ASSERT_TRUE(Await([&] { return asker.Ended(); }));
  EXPECT_EQ(asker.code(), GrpcCode::kUnavailable) << asker.message();
}

}  // namespace
}  // namespace arka::flight

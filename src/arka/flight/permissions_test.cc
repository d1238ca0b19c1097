// What a caller needs to be allowed for which call.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using auth::Right;
using testing::HasSubstr;
using transport::GrpcCode;

const std::string kSession(protocol::kSessionHeader);
const std::string kService = "/arrow.flight.protocol.FlightService/";

class PermissionsTest : public ::testing::Test, protected FlightFixture {
 protected:
  void SetUp() override {
    Start();
    Writer writer = OpenOrders({{kSession, "s"}});
    writer.SendIds(0);
    ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));
    writer.call->HalfClose();
    ASSERT_TRUE(Await([&] { return writer.Ended(); }));
  }

  void MayOnly(Right right, const std::string& tables = "sales.*") {
    CallAs("alice", {{{"alice"}, {tables}, {right}}});
  }

  std::unique_ptr<transport::InProcessCall> Call(const std::string& method,
                                                 const std::string& request) {
    auto call = transport->Open(kService + method);
    call->Send(request);
    call->HalfClose();
    EXPECT_TRUE(Await([&] { return call->status().has_value(); })) << method;
    return call;
  }
  GrpcCode CodeOfCall(const std::string& method, const std::string& request) {
    return Call(method, request)->status()->code;
  }
  GrpcCode CodeOfAction(const std::string& type, const std::string& body) {
    Asker asker = Ask(type, body);
    EXPECT_TRUE(Await([&] { return asker.Ended(); })) << type;
    return asker.code();
  }
  messages::FlightInfo InfoOfOrders() {
    const auto call = Call("GetFlightInfo", PathDescriptor({"sales", "orders"}));
    messages::FlightInfo info;
    const auto message = call->TakeMessage();
    if (message == nullptr || !info.ParseFromString(message->ToString())) {
      ADD_FAILURE() << "no FlightInfo";
    }
    return info;
  }
};

TEST_F(PermissionsTest, DescribingATableNeedsRead) {
  for (const Right right : auth::kRights) {
    MayOnly(right);
    const auto expected = right == Right::kRead ? GrpcCode::kOk : GrpcCode::kPermissionDenied;
    for (const char* method : {"GetFlightInfo", "PollFlightInfo", "GetSchema"}) {
      EXPECT_EQ(CodeOfCall(method, PathDescriptor({"sales", "orders"})), expected)
          << method << " " << auth::RightName(right);
    }
  }
  MayOnly(Right::kRead);
  const auto denied = Call("GetSchema", PathDescriptor({"hr", "salaries"}));
  EXPECT_EQ(denied->status()->code, GrpcCode::kPermissionDenied);
  EXPECT_THAT(denied->status()->message,
              HasSubstr("'alice' has no 'read' right on table 'hr.salaries'"));
}

TEST_F(PermissionsTest, ATicketIsOnlyForWhomItWasGivenToAndOnlyWhileHeMayRead) {
  MayOnly(Right::kRead);
  const std::string ticket = InfoOfOrders().endpoint(0).ticket().SerializeAsString();
  EXPECT_EQ(CodeOfCall("DoGet", ticket), GrpcCode::kOk);
  CallAs("bob", {{{"bob"}, {"*"}, {Right::kRead}}});
  EXPECT_EQ(CodeOfCall("DoGet", ticket), GrpcCode::kNotFound);
  MayOnly(Right::kWrite);
  EXPECT_EQ(CodeOfCall("DoGet", ticket), GrpcCode::kPermissionDenied);
}

TEST_F(PermissionsTest, ListFlightsAndTheStatusNameOnlyTablesThatMayBeRead) {
  MayOnly(Right::kRead);
  EXPECT_NE(Call("ListFlights", "")->TakeMessage(), nullptr);
  Asker own = Ask("status", "");
  ASSERT_TRUE(Await([&] { return own.Ended(); }));
  EXPECT_EQ(own.results[0].at("tables").size(), 1u);
  MayOnly(Right::kWrite);
  EXPECT_EQ(Call("ListFlights", "")->TakeMessage(), nullptr);
  Asker others = Ask("status", "");
  ASSERT_TRUE(Await([&] { return others.Ended(); }));
  EXPECT_TRUE(others.results[0].at("tables").empty());
}

TEST_F(PermissionsTest, WritingNeedsWriteAndARefusedStreamWritesNothing) {
  const Lsn before = last_lsn();
  for (const Right right : {Right::kRead, Right::kAdmin}) {
    MayOnly(right);
    Writer writer = OpenOrders();
    writer.SendIds(1);
    ASSERT_TRUE(Await([&] { return writer.Ended(); }));
    EXPECT_EQ(writer.code(), GrpcCode::kPermissionDenied);
    Putter putter = OpenPut({"sales", "orders"});
    putter.SendIds(1);
    ASSERT_TRUE(Await([&] { return putter.Ended(); }));
    EXPECT_EQ(putter.code(), GrpcCode::kPermissionDenied);
  }
  EXPECT_EQ(last_lsn(), before);
  MayOnly(Right::kWrite);
  Putter putter = OpenPut({"sales", "orders"});
  putter.SendIds(1);
  EXPECT_TRUE(Await([&] { return putter.Lsns().size() == 1; }));
}

TEST_F(PermissionsTest, ActionsOnATableNeedTheirRight) {
  const std::string schema = "{\"table\": \"sales.new\", \"schema_ipc\": \"\"}";
  const struct {
    const char* type;
    std::string body;
    Right right;
  } actions[] = {
      {"last_seq", R"({"producer": "p", "table": "sales.orders"})", Right::kWrite},
      {"claim_producer", R"({"producer": "p", "table": "sales.orders"})", Right::kWrite},
      {"flush", R"({"level": "LOCAL_DISK", "table": "sales.orders"})", Right::kWrite},
      {"commit", R"({"table": "sales.orders"})", Right::kWrite},
      {"create_table", schema, Right::kAdmin},
      {"alter_table", R"({"table": "sales.orders", "changes": []})", Right::kAdmin},
      {"seal", R"({"table": "sales.none"})", Right::kAdmin},
      {"unseal", R"({"table": "sales.none"})", Right::kAdmin},
      {"drop_table", R"({"table": "sales.none"})", Right::kAdmin},
  };
  for (const auto& action : actions) {
    for (const Right right : auth::kRights) {
      MayOnly(right);
      EXPECT_EQ(CodeOfAction(action.type, action.body) != GrpcCode::kPermissionDenied,
                right == action.right)
          << action.type << " " << auth::RightName(right);
    }
  }
}

TEST_F(PermissionsTest, FlushingAllTablesNeedsWriteOnAllTables) {
  MayOnly(Right::kWrite, "sales.*");
  EXPECT_EQ(CodeOfAction("flush", R"({"level": "LOCAL_DISK"})"), GrpcCode::kPermissionDenied);
  EXPECT_EQ(CodeOfAction("commit", ""), GrpcCode::kPermissionDenied);
  MayOnly(Right::kWrite, "*");
  EXPECT_EQ(CodeOfAction("flush", R"({"level": "LOCAL_DISK"})"), GrpcCode::kOk);
}

TEST_F(PermissionsTest, ASessionIsNotThereForAnotherPrincipal) {
  EXPECT_EQ(CodeOfAction("durability_status", R"({"session": "s"})"), GrpcCode::kOk);
  CallAs("bob", {{{"bob"}, {"*"}, {Right::kRead, Right::kWrite, Right::kAdmin}}});
  EXPECT_EQ(CodeOfAction("durability_status", R"({"session": "s"})"), GrpcCode::kNotFound);
  Asker sessions = Ask("list_sessions", "");
  ASSERT_TRUE(Await([&] { return sessions.Ended(); }));
  EXPECT_TRUE(sessions.results[0].at("sessions").empty());
}

}  // namespace
}  // namespace arka::flight

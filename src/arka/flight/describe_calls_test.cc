#include "arka/flight/describe_calls.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using transport::GrpcCode;

constexpr char kService[] = "/arrow.flight.protocol.FlightService/";

class DescribeCallsTest : public ::testing::Test, protected FlightFixture {
 protected:
  /// A whole call with one request message (none where nullptr).
  std::unique_ptr<transport::InProcessCall> Call(const std::string& method,
                                                 const std::string* request) {
    auto call = transport->Open(method);
    if (request != nullptr) call->Send(*request);
    call->HalfClose();
    RunLoop();
    EXPECT_TRUE(call->status().has_value()) << method;
    return call;
  }
  std::unique_ptr<transport::InProcessCall> Call(const std::string& method,
                                                 const std::string& request) {
    return Call(method, &request);
  }
};

TEST_F(DescribeCallsTest, GetFlightInfoGivesTheStatusAndATicketForItAsATable) {
  Start();
  Writer writer = OpenOrders();
  writer.SendIds(0);
  ASSERT_TRUE(Await([&] { return writer.LsnsAt(Tier::kCommitted).size() == 1; }));

  auto call = Call(std::string(kService) + "GetFlightInfo", PathDescriptor({"status"}));
  ASSERT_EQ(call->status()->code, GrpcCode::kOk) << call->status()->message;
  const auto message = call->TakeMessage();
  messages::FlightInfo info;
  ASSERT_TRUE(info.ParseFromString(message->ToString()));
  const auto json = nlohmann::json::parse(info.app_metadata());
  EXPECT_EQ(json["last_lsn"], 1000);
  EXPECT_EQ(json["disk_lsn"], 1000);
  EXPECT_EQ(json["s3_lsn"], 1000);
  EXPECT_EQ(json["committed_lsn"], 1000);
  EXPECT_EQ(json["version"], "test");
  EXPECT_EQ(json["node"], "node-1");
  EXPECT_EQ(json["lag_seconds"], 0);
  EXPECT_EQ(json["ready"], true);

  ASSERT_EQ(info.endpoint_size(), 1);
  call = Call(std::string(kService) + "DoGet", info.endpoint(0).ticket().SerializeAsString());
  ASSERT_EQ(call->status()->code, GrpcCode::kOk) << call->status()->message;
  const auto schema_data = protocol::ParseFlightData(call->TakeMessage()).ValueOrDie();
  const auto ipc = arrow::ipc::Message::Open(schema_data.data_header, nullptr).ValueOrDie();
  arrow::ipc::DictionaryMemo memo;
  const auto schema = arrow::ipc::ReadSchema(*ipc, &memo).ValueOrDie();
  const auto row = ReadBatch(call->TakeMessage(), schema);
  ASSERT_EQ(row->num_rows(), 1);
  EXPECT_EQ(row->GetColumnByName("last_lsn")->GetScalar(0).ValueOrDie()->ToString(), "1000");
  EXPECT_EQ(row->num_columns(), static_cast<int>(json.size()) - 1) << "all but the tables";
  EXPECT_EQ(call->TakeMessage(), nullptr);
}

TEST_F(DescribeCallsTest, WhatIsNotThereIsRefusedWithWhatIs) {
  Start();
  messages::Ticket unknown;
  unknown.set_ticket("sales.orders");
  struct Refused {
    std::string method;
    std::string request;
    GrpcCode code;
  };
  for (const Refused& refused :
       {Refused{"GetFlightInfo", PathDescriptor({"streaming_write"}), GrpcCode::kInvalidArgument},
        Refused{"GetFlightInfo", PathDescriptor({}), GrpcCode::kInvalidArgument},
        Refused{"GetFlightInfo", "\xff\xff", GrpcCode::kInvalidArgument},
        Refused{"DoGet", unknown.SerializeAsString(), GrpcCode::kNotFound},
        Refused{"DoGet", "", GrpcCode::kNotFound},
        Refused{"DoGet", "\xff\xff", GrpcCode::kInvalidArgument},
        Refused{"Handshake", "", GrpcCode::kUnimplemented},
        Refused{"doexchange", "", GrpcCode::kUnimplemented},
        Refused{"", "", GrpcCode::kUnimplemented}}) {
    SCOPED_TRACE(refused.method);
    const auto call = Call(kService + refused.method, refused.request);
    EXPECT_EQ(call->status()->code, refused.code) << call->status()->message;
    EXPECT_FALSE(call->status()->message.empty());
    EXPECT_EQ(call->TakeMessage(), nullptr);
  }
  EXPECT_EQ(Call("/some.other.Service/Method", "")->status()->code, GrpcCode::kUnimplemented);
}

TEST_F(DescribeCallsTest, ACallWithoutItsMessageIsRefused) {
  Start();
  for (const char* method :
       {"GetFlightInfo", "PollFlightInfo", "GetSchema", "ListFlights", "DoGet"}) {
    EXPECT_EQ(Call(std::string(kService) + method, nullptr)->status()->code,
              GrpcCode::kInvalidArgument);
  }
}

TEST(MatchesCriteria, ByPrefixOrByPattern) {
  for (const auto& [criteria, matches] :
       std::vector<std::pair<std::string, bool>>{{"", true},
                                                 {"sales", true},
                                                 {"sales.orders", true},
                                                 {"sales.orders2", false},
                                                 {"orders", false},
                                                 {"*", true},
                                                 {"*orders", true},
                                                 {"*order", false},
                                                 {"s*s", true},
                                                 {"s*.*r?", true},
                                                 {"s*.*r?s", false},
                                                 {"s*.*r??", false},
                                                 {"sales.??????", true},
                                                 {"sales.?????", false},
                                                 {"**s.**", true},
                                                 {"*?*?*?*", true}}) {
    EXPECT_EQ(MatchesCriteria("sales.orders", criteria), matches) << criteria;
  }
  EXPECT_TRUE(MatchesCriteria("", "*"));
  EXPECT_FALSE(MatchesCriteria("", "?"));
  // No pattern takes long.
  EXPECT_FALSE(MatchesCriteria(std::string(10'000, 'a'), "*a*a*a*a*a*a*a*ab"));
}

}  // namespace
}  // namespace arka::flight

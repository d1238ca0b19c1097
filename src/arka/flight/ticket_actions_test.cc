#include "arka/flight/ticket_actions.h"

#include <string>

#include <gtest/gtest.h>

#include "arka/base/base64.h"
#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using transport::GrpcCode;

constexpr char kGetFlightInfo[] = "/arrow.flight.protocol.FlightService/GetFlightInfo";
constexpr char kDoGet[] = "/arrow.flight.protocol.FlightService/DoGet";

class TicketActionsTest : public ::testing::Test, protected FlightFixture {
 protected:
  std::unique_ptr<transport::InProcessCall> Call(const char* method, const std::string& message,
                                                 transport::Metadata metadata = {}) {
    auto call = transport->Open(method, std::move(metadata));
    call->Send(message);
    call->HalfClose();
    return call;
  }
  std::unique_ptr<transport::InProcessCall> CallAndEnd(const char* method,
                                                       const std::string& message,
                                                       transport::Metadata metadata = {}) {
    auto call = Call(method, message, std::move(metadata));
    EXPECT_TRUE(AwaitReal([&] { return call->status().has_value(); }));
    return call;
  }
  std::unique_ptr<transport::InProcessCall> Do(const std::string& type, const std::string& body,
                                               transport::Metadata metadata = {}) {
    messages::Action action;
    action.set_type(type);
    action.set_body(body);
    return CallAndEnd(kDoAction, action.SerializeAsString(), std::move(metadata));
  }
  static std::string BodyOf(transport::InProcessCall& call) {
    messages::Result result;
    EXPECT_TRUE(result.ParseFromString(call.TakeMessage()->ToString()));
    return result.body();
  }

  /// A table of `writes` megabytes, and what GetFlightInfo says of it.
  messages::FlightInfo InfoOfOrders(int64_t writes) {
    Writer writer = OpenOrders();
    for (int64_t i = 0; i < writes; ++i) writer.SendIds(i * 128'000, 128'000);
    EXPECT_TRUE(AwaitReal(
        [&] { return static_cast<int64_t>(writer.LsnsAt(Tier::kLocalDisk).size()) == writes; }));
    const auto call = CallAndEnd(kGetFlightInfo, PathDescriptor({"sales", "orders"}));
    messages::FlightInfo info;
    EXPECT_TRUE(info.ParseFromString(call->TakeMessage()->ToString()));
    return info;
  }
  std::string TicketMessage(const messages::FlightInfo& info) {
    return info.endpoint(0).ticket().SerializeAsString();
  }

  [[nodiscard]] bool AwaitReal(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      RunLoop();
      std::this_thread::yield();
    }
    return true;
  }
};

TEST_F(TicketActionsTest, CancelFlightInfoEndsAReadUnderWayAndItsTickets) {
  Start();
  const auto info = InfoOfOrders(30);
  const auto reading = Call(kDoGet, TicketMessage(info));
  reading->HoldReading();
  ASSERT_TRUE(AwaitReal([&] { return last_call().queued_bytes() > (8 << 20); }));

  messages::CancelFlightInfoRequest request;
  *request.mutable_info() = info;
  const auto cancelled = Do("CancelFlightInfo", request.SerializeAsString());
  ASSERT_EQ(cancelled->status()->code, GrpcCode::kOk) << cancelled->status()->message;
  messages::CancelFlightInfoResult result;
  ASSERT_TRUE(result.ParseFromString(BodyOf(*cancelled)));
  EXPECT_EQ(result.status(), messages::CANCEL_STATUS_CANCELLED);

  reading->ReadOn();
  ASSERT_TRUE(AwaitReal([&] {
    while (reading->TakeMessage() != nullptr) continue;
    return reading->status().has_value();
  }));
  EXPECT_EQ(reading->status()->code, GrpcCode::kCancelled);
  EXPECT_EQ(CallAndEnd(kDoGet, TicketMessage(info))->status()->code, GrpcCode::kNotFound);
  EXPECT_EQ(Do("CancelFlightInfo", request.SerializeAsString())->status()->code,
            GrpcCode::kNotFound);
  EXPECT_EQ(Do("CancelFlightInfo", "\x01")->status()->code, GrpcCode::kInvalidArgument);
}

TEST_F(TicketActionsTest, CancelTakesATicketInBase64) {
  Start();
  const auto info = InfoOfOrders(1);
  const std::string body =
      nlohmann::json{{"ticket", EncodeBase64(info.endpoint(0).ticket().ticket())}}.dump();
  EXPECT_EQ(BodyOf(*Do("cancel", body)), R"({"cancelled":true})");
  EXPECT_EQ(BodyOf(*Do("cancel", body)), R"({"cancelled":false})");
  EXPECT_EQ(CallAndEnd(kDoGet, TicketMessage(info))->status()->code, GrpcCode::kNotFound);
  EXPECT_EQ(Do("cancel", R"({"ticket": "?"})")->status()->code, GrpcCode::kInvalidArgument);
  EXPECT_EQ(Do("cancel", "{}")->status()->code, GrpcCode::kInvalidArgument);
}

TEST_F(TicketActionsTest, ARenewedTicketLivesOn) {
  Start();
  const auto info = InfoOfOrders(1);
  deployment.clock.Advance(std::chrono::seconds(200));
  messages::RenewFlightEndpointRequest request;
  *request.mutable_endpoint() = info.endpoint(0);
  messages::FlightEndpoint renewed;
  const auto answer = Do("RenewFlightEndpoint", request.SerializeAsString());
  ASSERT_EQ(answer->status()->code, GrpcCode::kOk) << answer->status()->message;
  ASSERT_TRUE(renewed.ParseFromString(BodyOf(*answer)));
  EXPECT_EQ(renewed.ticket().ticket(), info.endpoint(0).ticket().ticket());
  EXPECT_EQ(renewed.expiration_time().seconds(),
            info.endpoint(0).expiration_time().seconds() + 200);
  deployment.clock.Advance(std::chrono::seconds(200));
  reads->results.Sweep();
  EXPECT_EQ(CallAndEnd(kDoGet, TicketMessage(info))->status()->code, GrpcCode::kOk);
  request.mutable_endpoint()->mutable_ticket()->set_ticket("forged");
  EXPECT_EQ(Do("RenewFlightEndpoint", request.SerializeAsString())->status()->code,
            GrpcCode::kNotFound);
}

TEST_F(TicketActionsTest, OptionsOfASessionAreSetReadAndUsed) {
  Start();
  messages::SetSessionOptionsRequest set;
  auto& options = *set.mutable_session_options();
  options["schema"].set_string_value("sales");
  options["colour"].set_string_value("red");
  options["catalog"].set_int64_value(1);
  const auto answer = Do("SetSessionOptions", set.SerializeAsString());
  messages::SetSessionOptionsResult result;
  ASSERT_TRUE(result.ParseFromString(BodyOf(*answer)));
  EXPECT_EQ(result.errors().size(), 2u);
  EXPECT_EQ(result.errors().at("colour").value(), messages::SetSessionOptionsResult::INVALID_NAME);
  EXPECT_EQ(result.errors().at("catalog").value(),
            messages::SetSessionOptionsResult::INVALID_VALUE);
  std::string cookie(transport::Find(answer->headers().value(), "set-cookie").value_or(""));
  cookie = cookie.substr(0, cookie.find(';'));
  const transport::Metadata session = {{"cookie", cookie}};

  messages::GetSessionOptionsResult got;
  ASSERT_TRUE(got.ParseFromString(BodyOf(*Do("GetSessionOptions", "", session))));
  EXPECT_EQ(got.session_options().at("schema").string_value(), "sales");
  InfoOfOrders(1);
  const std::string orders = PathDescriptor({"orders"});
  EXPECT_EQ(CallAndEnd(kGetFlightInfo, orders, session)->status()->code, GrpcCode::kOk);
  EXPECT_EQ(CallAndEnd(kGetFlightInfo, orders)->status()->code, GrpcCode::kNotFound);

  EXPECT_EQ(Do("CloseSession", "", session)->status()->code, GrpcCode::kOk);
  EXPECT_EQ(CallAndEnd(kGetFlightInfo, orders, session)->status()->code, GrpcCode::kNotFound);
  EXPECT_EQ(Do("CloseSession", "", session)->status()->code, GrpcCode::kNotFound);
}

}  // namespace
}  // namespace arka::flight

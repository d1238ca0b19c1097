#include "arka/flight/do_get_call.h"

#include <gtest/gtest.h>

#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

using transport::GrpcCode;

constexpr char kGetFlightInfo[] = "/arrow.flight.protocol.FlightService/GetFlightInfo";
constexpr char kDoGet[] = "/arrow.flight.protocol.FlightService/DoGet";

class DoGetCallTest : public ::testing::Test, protected FlightFixture {
 protected:
  messages::FlightInfo InfoOf(const std::vector<std::string>& path) {
    const auto call = transport->Open(kGetFlightInfo);
    call->Send(PathDescriptor(path));
    call->HalfClose();
    EXPECT_TRUE(AwaitReal([&] { return call->status().has_value(); }));
    EXPECT_EQ(call->status()->code, GrpcCode::kOk) << call->status()->message;
    messages::FlightInfo info;
    EXPECT_TRUE(info.ParseFromString(call->TakeMessage()->ToString()));
    return info;
  }

  std::unique_ptr<transport::InProcessCall> Get(const std::string& ticket) {
    messages::Ticket message;
    message.set_ticket(ticket);
    auto call = transport->Open(kDoGet);
    call->Send(message.SerializeAsString());
    call->HalfClose();
    return call;
  }

  /// Rows that have come, and the largest message.
  int64_t TakeRows(transport::InProcessCall& call) {
    int64_t rows = 0;
    while (const auto message = call.TakeMessage()) {
      largest_message_ = std::max(largest_message_, message->size());
      const auto data = protocol::ParseFlightData(message).ValueOrDie();
      if (data.data_body != nullptr) rows += data.data_body->size() / 8;
    }
    return rows;
  }

  /// Runs the loop until `done`; what runs aside takes real time, and no simulated one.
  [[nodiscard]] bool AwaitReal(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      RunLoop();
      std::this_thread::yield();
    }
    return true;
  }

  int64_t largest_message_ = 0;
};

TEST_F(DoGetCallTest, APeerThatDoesNotReadStopsTheReadingAndGetsAllOnceItDoes) {
  constexpr int64_t kWrites = 30, kRows = 128 << 10;  // of a megabyte each
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < kWrites; ++i) writer.SendIds(i * kRows, kRows);
  ASSERT_TRUE(AwaitReal([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == kWrites; }));

  const auto info = InfoOf({"sales", "orders"});
  ASSERT_EQ(info.endpoint_size(), 1);
  const auto call = Get(info.endpoint(0).ticket().ticket());
  call->HoldReading();
  RunLoop();
  transport::ServerCall& server_side = last_call();
  size_t queued = 0;
  ASSERT_TRUE(AwaitReal([&] { return server_side.queued_bytes() > (8 << 20); }));
  for (int i = 0; i < 1000; ++i) {
    RunLoop();
    std::this_thread::yield();
    queued = server_side.queued_bytes();
  }
  EXPECT_LT(queued, 16u << 20);

  call->ReadOn();
  int64_t rows = 0;
  ASSERT_TRUE(AwaitReal([&] {
    rows += TakeRows(*call);
    return call->status().has_value();
  }));
  rows += TakeRows(*call);
  EXPECT_EQ(call->status()->code, GrpcCode::kOk) << call->status()->message;
  EXPECT_EQ(rows, kWrites * kRows);
  EXPECT_LT(largest_message_, 4 << 20) << "what Go and Rust take by default";
}

TEST_F(DoGetCallTest, ACallThatIsCancelledWhileItIsReadHarmsNothing) {
  Start();
  Writer writer = OpenOrders();
  for (int64_t i = 0; i < 8; ++i) writer.SendIds(i * 100'000, 100'000);
  ASSERT_TRUE(AwaitReal([&] { return writer.LsnsAt(Tier::kLocalDisk).size() == 8; }));
  const std::string ticket = InfoOf({"sales", "orders"}).endpoint(0).ticket().ticket();
  for (int i = 0; i < 20; ++i) {
    const auto call = Get(ticket);
    for (int turn = 0; turn < i; ++turn) RunLoop();
    call->Cancel();
    RunLoop();
  }
  const auto call = Get(ticket);
  int64_t rows = 0;
  ASSERT_TRUE(AwaitReal([&] {
    rows += TakeRows(*call);
    return call->status().has_value();
  }));
  EXPECT_EQ(rows + TakeRows(*call), 800'000);
}

}  // namespace
}  // namespace arka::flight

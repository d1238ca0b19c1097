// Flight calls of any bytes: their methods, headers and messages are the input's. Each ends with a
// status that gRPC knows, or waits for more; the server takes a good call afterwards.
//
// The input is frames: a byte that says what, two bytes of length (little-endian), the bytes. A
// call's method and headers come before its messages; the calls of one input are open together.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "arka/base/check.h"
#include "arka/flight/flight_fixture_test.h"

namespace arka::flight {
namespace {

struct Frame {
  char kind = 0;
  std::string_view bytes;
};

bool TakeFrame(std::string_view& input, Frame* frame) {
  if (input.size() < 3) return false;
  frame->kind = input[0];
  const size_t length = static_cast<uint8_t>(input[1]) | static_cast<uint8_t>(input[2]) << 8;
  frame->bytes = input.substr(3, length);
  input.remove_prefix(std::min(input.size(), 3 + length));
  return true;
}

enum Kind : char {
  kMethod = 'm',
  kHeader = 'h',
  kMessage = 'd',
  kHalfClose = 'c',
  kHold = 's',
  kNextCall = 'n',
};

// What is asked aside is answered within so many turns, most often.
constexpr int kTurnsForAnAnswer = 200;

/// A server that has the table sales.orders and makes no others; one for all inputs.
class Server {
 public:
  Server() {
    spdlog::set_level(spdlog::level::off);
    fixture_.deployment.options.auto_create = false;
    ARKA_CHECK(fixture_.deployment.catalog.CreateTable(ingest::kOrders, OrdersCreation()).ok());
    fixture_.Start();
    CheckTakesAWrite();
  }

  void Calls(std::string_view input) {
    std::vector<std::unique_ptr<transport::InProcessCall>> calls;
    while (!input.empty() && calls.size() < 8) calls.push_back(Call(input));
    for (const auto& call : calls) {
      call->ReadOn();
      fixture_.RunLoop();
      while (call->TakeMessage() != nullptr) {
      }
      const auto status = call->status();
      if (status) ARKA_CHECK(static_cast<int>(status->code) <= 16);
    }
    calls.clear();
    fixture_.RunLoop();
    if (++inputs_ % 4096 == 0) CheckTakesAWrite();
  }

 private:
  static iceberg::TableCreation OrdersCreation() {
    const auto schema = lake::TableSchema::FromArrow(*IdSchema()).ValueOrDie();
    return {.schema = schema->iceberg_schema()};
  }

  // Opens a call and sends what is before the next one.
  std::unique_ptr<transport::InProcessCall> Call(std::string_view& input) {
    std::string method = kDoExchange;
    transport::Metadata headers;
    Frame frame;
    std::string_view rest = input;
    while (TakeFrame(rest, &frame) && (frame.kind == kMethod || frame.kind == kHeader)) {
      if (frame.kind == kMethod) method = frame.bytes;
      const size_t colon = frame.bytes.find(':');
      if (frame.kind == kHeader && colon != std::string_view::npos) {
        headers.emplace_back(frame.bytes.substr(0, colon), frame.bytes.substr(colon + 1));
      }
      input = rest;
    }
    const bool is_unary = method != kDoExchange;
    auto call = fixture_.transport->Open(std::move(method), std::move(headers));
    bool closed = false;
    while (TakeFrame(input, &frame) && frame.kind != kNextCall) {
      if (frame.kind == kMessage) call->Send(frame.bytes);
      if (frame.kind == kHalfClose) call->HalfClose();
      if (frame.kind == kHold) call->HoldReading();
      closed |= frame.kind == kHalfClose;
      fixture_.RunLoop();
    }
    if (input.size() < 3) input = {};
    for (int i = 0; is_unary && closed && !call->status() && i < kTurnsForAnAnswer; ++i) {
      std::this_thread::yield();
      fixture_.RunLoop();
    }
    return call;
  }

  void CheckTakesAWrite() {
    const Lsn before = fixture_.last_lsn();
    Writer writer = fixture_.OpenOrders();
    writer.SendIds(1);
    ARKA_CHECK(fixture_.Await([&] { return fixture_.last_lsn() > before; }));
  }

  FlightFixture fixture_;
  int64_t inputs_ = 0;
};

}  // namespace
}  // namespace arka::flight

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Ends before what its threads use does.
  static arka::flight::Server server;
  server.Calls({reinterpret_cast<const char*>(data), size});
  return 0;
}

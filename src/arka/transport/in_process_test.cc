#include "arka/transport/in_process.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arka/io/system_clock.h"
#include "arka/testing/simulated_clock.h"

namespace arka::transport {
namespace {

using namespace std::chrono_literals;

/// What happened to a handler, in order.
using Journal = std::vector<std::string>;

class RecordingHandler final : public CallHandler {
 public:
  RecordingHandler(ServerCall& call, Journal& journal) : call_(call), journal_(journal) {}
  ~RecordingHandler() override { journal_.push_back("destroyed"); }

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override {
    const std::string text = message->ToString();
    journal_.push_back(text);
    if (text == "pause") return call_.PauseReading();
    if (text == "fail") return call_.Finish({GrpcCode::kAborted, "failed", {}});
    if (text == "much") message = arrow::Buffer::FromString(std::string(600 << 10, 'm'));
    call_.Write({message});
  }
  void OnHalfClose() override {
    journal_.push_back("half-close");
    call_.Finish({GrpcCode::kOk, "", {{"a", "b"}}});
  }
  void OnWritable() override { journal_.push_back("writable"); }
  void OnCancelled(const CallStatus& why) override {
    journal_.push_back("cancelled " + std::to_string(static_cast<int>(why.code)));
  }

 private:
  ServerCall& call_;
  Journal& journal_;
};

class RecordingService final : public Service {
 public:
  std::unique_ptr<CallHandler> Start(ServerCall& call) override {
    last_call = &call;
    if (call.method() == "/refuse") {
      call.Finish({GrpcCode::kUnimplemented, "no such method", {}});
      return nullptr;
    }
    return std::make_unique<RecordingHandler>(call, journal);
  }
  Journal journal;
  ServerCall* last_call = nullptr;
};

class InProcessTest : public testing::Test {
 protected:
  void Run() { transport_->RunUntilIdle(); }

  SimulatedClock clock_;
  RecordingService service_;
  std::unique_ptr<InProcessTransport> transport_ = InProcessTransport::Make(service_, clock_);
};

TEST_F(InProcessTest, CarriesMessagesBothWaysAndTheStatus) {
  auto call = transport_->Open("/echo", {{"key", "value"}});
  call->Send("one");
  call->Send("two");
  call->HalfClose();
  Run();
  EXPECT_EQ(service_.journal, (Journal{"one", "two", "half-close", "destroyed"}));
  EXPECT_EQ(call->TakeMessage()->ToString(), "one");
  EXPECT_EQ(call->TakeMessage()->ToString(), "two");
  EXPECT_EQ(call->TakeMessage(), nullptr);
  ASSERT_TRUE(call->status());
  EXPECT_EQ(call->status()->code, GrpcCode::kOk);
  EXPECT_EQ(call->status()->trailers, (Metadata{{"a", "b"}}));
  EXPECT_TRUE(call->headers());
}

TEST_F(InProcessTest, LetsAServiceRefuseACallAtOnce) {
  auto call = transport_->Open("/refuse");
  Run();
  ASSERT_TRUE(call->status());
  EXPECT_EQ(call->status()->code, GrpcCode::kUnimplemented);
  EXPECT_FALSE(call->headers());
}

TEST_F(InProcessTest, TellsTheHandlerOfACancel) {
  auto call = transport_->Open("/echo");
  call->Send("one");
  call->Cancel();
  Run();
  EXPECT_EQ(service_.journal, (Journal{"one", "cancelled 1", "destroyed"}));
}

TEST_F(InProcessTest, EndsACallAtItsDeadlineByTheClock) {
  auto call = transport_->Open("/echo", {}, 5s);
  Run();
  EXPECT_EQ(service_.last_call->deadline(), clock_.Now() + 5s);
  clock_.Advance(4s);
  Run();
  EXPECT_FALSE(call->status());
  clock_.Advance(1s);
  Run();
  ASSERT_TRUE(call->status());
  EXPECT_EQ(call->status()->code, GrpcCode::kDeadlineExceeded);
  EXPECT_EQ(service_.journal, (Journal{"cancelled 4", "destroyed"}));
}

TEST_F(InProcessTest, HoldsMessagesBackWhileReadingIsPaused) {
  auto call = transport_->Open("/echo");
  call->Send("pause");
  call->Send("later");
  call->HalfClose();
  Run();
  EXPECT_EQ(service_.journal, (Journal{"pause"}));
  service_.last_call->ResumeReading();
  Run();
  EXPECT_EQ(service_.journal, (Journal{"pause", "later", "half-close", "destroyed"}));
}

TEST_F(InProcessTest, QueuesWhatTheClientDoesNotReadAndSaysWhenItIsTaken) {
  auto call = transport_->Open("/echo");
  call->HoldReading();
  call->Send("much");
  Run();
  EXPECT_EQ(service_.last_call->queued_bytes(), size_t{600} << 10);
  EXPECT_EQ(call->TakeMessage(), nullptr);
  call->ReadOn();
  Run();
  EXPECT_EQ(service_.last_call->queued_bytes(), 0u);
  EXPECT_EQ(service_.journal, (Journal{"much", "writable"}));
  EXPECT_EQ(call->TakeMessage()->size(), 600 << 10);
}

TEST_F(InProcessTest, GivesNothingMoreToAHandlerThatHasFinished) {
  auto call = transport_->Open("/echo");
  call->Send("fail");
  call->Send("unseen");
  call->HalfClose();
  Run();
  EXPECT_EQ(service_.journal, (Journal{"fail", "destroyed"}));
  EXPECT_EQ(call->status()->code, GrpcCode::kAborted);
}

TEST_F(InProcessTest, CancelsCallsThatOutliveTheTransport) {
  auto call = transport_->Open("/echo");
  Run();
  transport_.reset();
  EXPECT_EQ(service_.journal, (Journal{"cancelled 1", "destroyed"}));
  EXPECT_EQ(call->status()->code, GrpcCode::kCancelled);
  call->Send("into the void");
}

TEST_F(InProcessTest, RunsDeferredTasksAfterWhatIsPosted) {
  Journal order;
  transport_->loop().Post([&] {
    transport_->loop().Defer([&] { order.push_back("deferred"); });
    order.push_back("first");
  });
  transport_->loop().Post([&] { order.push_back("second"); });
  Run();
  EXPECT_EQ(order, (Journal{"first", "second", "deferred"}));
}

TEST(InProcessThread, ServesFromAThreadOfItsOwn) {
  SystemClock clock;
  RecordingService service;
  const auto transport = InProcessTransport::Make(service, clock);
  transport->StartThread();
  const auto call = transport->Open("/echo");
  call->Send("hello");
  const auto message = call->WaitForMessage(10s);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->ToString(), "hello");
  call->HalfClose();
  const auto status = call->WaitForStatus(10s);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, GrpcCode::kOk);
}

}  // namespace
}  // namespace arka::transport

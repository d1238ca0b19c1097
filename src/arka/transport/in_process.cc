#include "arka/transport/in_process.h"

#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arka/transport/in_process_call.h"
#include "arka/transport/local_loop.h"
#include "arka/transport/message_buffer.h"

namespace arka::transport {
namespace {

using ServerCallPtr = std::shared_ptr<InProcessServerCall>;

/// Outlives neither the loop nor its tasks: clients hold it weakly.
struct InProcessCore {
  InProcessCore(Service& call_service, Clock& call_clock)
      : service(call_service), clock(call_clock), loop(call_clock) {}

  Service& service;
  Clock& clock;
  LocalLoop loop;
  std::unordered_map<InProcessServerCall*, ServerCallPtr> calls;  // loop only
};

class Client final : public InProcessCall {
 public:
  Client(std::weak_ptr<InProcessCore> core, ServerCallPtr server,
         std::shared_ptr<InProcessMailbox> mailbox)
      : core_(std::move(core)), server_(std::move(server)), mailbox_(std::move(mailbox)) {}
  ~Client() override { Cancel(); }

  void Send(std::string_view message) override {
    auto buffer = MessageBuffer::Allocate(message.size());
    std::memcpy(buffer->begin(), message.data(), message.size());
    OnLoop([buffer](InProcessServerCall& call) { call.Receive(buffer); });
  }
  void HalfClose() override {
    OnLoop([](InProcessServerCall& call) { call.ReceiveHalfClose(); });
  }
  void Cancel() override {
    OnLoop([](InProcessServerCall& call) {
      call.End({GrpcCode::kCancelled, "the client cancelled the call", {}});
    });
  }
  void HoldReading() override {
    OnLoop([](InProcessServerCall& call) { call.SetHeld(true); });
  }
  void ReadOn() override {
    OnLoop([](InProcessServerCall& call) { call.SetHeld(false); });
  }

  std::optional<Metadata> headers() const override { return mailbox_->headers(); }
  std::shared_ptr<arrow::Buffer> TakeMessage() override { return mailbox_->TakeMessage(); }
  std::optional<CallStatus> status() const override { return mailbox_->status(); }
  std::shared_ptr<arrow::Buffer> WaitForMessage(std::chrono::milliseconds timeout) override {
    return mailbox_->WaitForMessage(timeout);
  }
  std::optional<CallStatus> WaitForStatus(std::chrono::milliseconds timeout) override {
    return mailbox_->WaitForStatus(timeout);
  }

 private:
  template <typename Function>
  void OnLoop(Function function) {
    const auto core = core_.lock();
    if (!core) return;
    core->loop.Post([server = server_, function = std::move(function)] { function(*server); });
  }

  const std::weak_ptr<InProcessCore> core_;
  const ServerCallPtr server_;
  const std::shared_ptr<InProcessMailbox> mailbox_;
};

class Transport final : public InProcessTransport {
 public:
  Transport(Service& service, Clock& clock)
      : core_(std::make_shared<InProcessCore>(service, clock)) {}

  ~Transport() override {
    core_->loop.Stop();
    const CallStatus why{GrpcCode::kCancelled, "the transport is gone", {}};
    for (const auto& [call, owned] : std::exchange(core_->calls, {})) call->End(why);
  }

  std::unique_ptr<InProcessCall> Open(std::string method, Metadata metadata,
                                      std::optional<std::chrono::milliseconds> timeout) override {
    std::optional<SteadyTime> deadline;
    if (timeout) deadline = core_->clock.Now() + *timeout;
    auto mailbox = std::make_shared<InProcessMailbox>();
    auto server = std::make_shared<InProcessServerCall>(core_->loop, std::move(method),
                                                        std::move(metadata), deadline, mailbox);
    core_->loop.Post([core = core_.get(), server] {
      core->calls.emplace(server.get(), server);
      server->Start(core->service, [core, call = server.get()] { core->calls.erase(call); });
    });
    if (timeout) {
      core_->loop.PostAfter(*timeout, [weak = std::weak_ptr<InProcessServerCall>(server)] {
        const ServerCallPtr call = weak.lock();
        if (call) call->End({GrpcCode::kDeadlineExceeded, "the call's deadline has passed", {}});
      });
    }
    return std::make_unique<Client>(core_, std::move(server), std::move(mailbox));
  }

  void RunUntilIdle() override { core_->loop.RunUntilIdle(); }
  void StartThread() override { core_->loop.StartThread(); }
  EventLoop& loop() override { return core_->loop; }

 private:
  const std::shared_ptr<InProcessCore> core_;
};

}  // namespace

std::unique_ptr<InProcessTransport> InProcessTransport::Make(Service& service, Clock& clock) {
  return std::make_unique<Transport>(service, clock);
}

}  // namespace arka::transport

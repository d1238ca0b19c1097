#include "arka/flight/authenticated_service.h"

#include <chrono>

#include "arka/base/check.h"
#include "arka/flight/authenticated_call.h"
#include "arka/flight/handshake_call.h"
#include "arka/flight/status_mapping.h"

namespace arka::flight {
namespace {

constexpr std::string_view kHandshake = "/arrow.flight.protocol.FlightService/Handshake";
constexpr std::chrono::milliseconds kLookAgainEvery{1'000};

}  // namespace

AuthenticatedService::~AuthenticatedService() = default;

void AuthenticatedService::Bind(const std::vector<transport::EventLoop*>& loops) {
  for (transport::EventLoop* loop : loops) {
    open_.push_back(std::make_unique<OpenCalls>(OpenCalls{*loop, {}, 0}));
    if (authenticator_ != nullptr) LookAgainLater(*open_.back());
  }
}

AuthenticatedService::OpenCalls& AuthenticatedService::OpenCallsOf(
    const transport::EventLoop& loop) {
  for (const auto& open : open_) {
    if (&open->loop == &loop) return *open;
  }
  ARKA_CHECK(false && "a call on a loop that was not bound");
  return *open_.front();
}

void AuthenticatedService::LookAgainLater(OpenCalls& open) {
  open.loop.PostAfter(kLookAgainEvery, [this, &open] {
    const int64_t generation = authenticator_->generation();
    const bool changed = generation != open.generation;
    open.generation = generation;
    // A copy: a call that is ended may go.
    for (AuthenticatedCall* call : std::vector(open.calls.begin(), open.calls.end())) {
      if (open.calls.contains(call)) call->LookAgain(changed);
    }
    LookAgainLater(open);
  });
}

std::unique_ptr<transport::CallHandler> AuthenticatedService::Start(transport::ServerCall& call) {
  const bool handshake = call.method() == kHandshake;
  if (authenticator_ == nullptr) {
    if (!handshake) return service_.Start(call);
    call.Finish(ToCallStatus(Error(ErrorCode::kUnimplemented,
                                   "this server asks nobody who he is (it has no "
                                   "auth.credentials): call without a Handshake")));
    return nullptr;
  }
  if (handshake) return std::make_unique<HandshakeCall>(call, *authenticator_, audit_);
  auto authenticated = std::make_unique<AuthenticatedCall>(*this, call);
  authenticated->Begin();
  return authenticated;
}

}  // namespace arka::flight

#include "arka/flight/authenticated_call.h"

#include <string>

#include "arka/flight/status_mapping.h"

namespace arka::flight {
namespace {

// Flight's own header for what a Handshake answered (Arrow's GrpcClientAuthSender and its kin).
constexpr std::string_view kHandshakeTokenHeader = "auth-token-bin";

}  // namespace

auth::Authenticator::Done OnLoopOf(transport::ServerCall& call, std::weak_ptr<void> alive,
                                   std::function<void(Result<auth::Login>)> done) {
  return [&loop = call.loop(), alive = std::move(alive),
          done = std::move(done)](Result<auth::Login> login) {
    if (loop.InLoop()) {
      if (!alive.expired()) done(std::move(login));
      return;
    }
    loop.Post([alive, done, login = std::move(login)] {
      if (!alive.expired()) done(login);
    });
  };
}

void IdentifyByHeaders(auth::Authenticator& authenticator, transport::ServerCall& call,
                       std::weak_ptr<void> alive, std::function<void(Result<auth::Login>)> done) {
  auth::Presented presented;
  presented.peer = call.peer();
  presented.authorization = transport::Find(call.metadata(), "authorization");
  std::string of_handshake;
  if (const auto token = transport::Find(call.metadata(), kHandshakeTokenHeader);
      token && !presented.authorization) {
    of_handshake = "Bearer " + std::string(*token);
    presented.authorization = of_handshake;
  }
  authenticator.Identify(presented, OnLoopOf(call, std::move(alive), std::move(done)));
}

AuthenticatedCall::AuthenticatedCall(AuthenticatedService& guard, transport::ServerCall& call)
    : guard_(guard), call_(call) {
  guard_.OpenCallsOf(call_.loop()).calls.insert(this);
}

AuthenticatedCall::~AuthenticatedCall() { guard_.OpenCallsOf(call_.loop()).calls.erase(this); }

void AuthenticatedCall::Begin() {
  waits_ = true;
  IdentifyByHeaders(*guard_.authenticator_, call_, alive_,
                    [this](Result<auth::Login> login) { OnLogin(std::move(login)); });
  if (waits_) call_.PauseReading();
}

void AuthenticatedCall::OnLogin(Result<auth::Login> login) {
  waits_ = false;
  if (!login.ok()) return End(login.status());
  identity_ = login->identity;
  call_.SetCaller(guard_.authenticator_->CallerOf(*identity_));
  if (!login->bearer.empty()) call_.AddHeader("authorization", "Bearer " + login->bearer);
  call_.ResumeReading();
  handler_ = guard_.service_.Start(call_);
}

void AuthenticatedCall::LookAgain(bool grants_changed) {
  if (handler_ == nullptr) return;
  const Status holds = guard_.authenticator_->StillHolds(*identity_);
  if (!holds.ok()) return End(holds);
  if (!grants_changed) return;
  const Status may = call_.caller().Renew(guard_.authenticator_->grants());
  if (!may.ok()) End(may);
}

// What was acknowledged stays; what the peer has sent since is not looked at any more.
void AuthenticatedCall::End(const Status& why) {
  call_.Finish(ToCallStatus(why));
  handler_.reset();
}

void AuthenticatedCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (handler_ != nullptr) handler_->OnMessage(std::move(message));
}

void AuthenticatedCall::OnHalfClose() {
  if (handler_ != nullptr) handler_->OnHalfClose();
}

void AuthenticatedCall::OnWritable() {
  if (handler_ != nullptr) handler_->OnWritable();
}

void AuthenticatedCall::OnCancelled(const transport::CallStatus& why) {
  if (handler_ != nullptr) handler_->OnCancelled(why);
}

}  // namespace arka::flight

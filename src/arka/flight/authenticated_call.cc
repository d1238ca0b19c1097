#include "arka/flight/authenticated_call.h"

#include <string>

#include "arka/flight/flight.pb.h"
#include "arka/flight/status_mapping.h"

namespace arka::flight {
namespace {

// Flight's own header for what a Handshake answered (Arrow's GrpcClientAuthSender and its kin).
constexpr std::string_view kHandshakeTokenHeader = "auth-token-bin";
constexpr size_t kMaxNameSize = 200;  // of a method or an action, in the audit

}  // namespace

std::shared_ptr<auth::CallAudit> AuditOf(auth::AuditLog* log, const transport::ServerCall& call) {
  const std::string_view method = call.method().substr(0, kMaxNameSize);
  return std::make_shared<auth::CallAudit>(log, std::string(call.peer()),
                                           std::string(method.substr(method.rfind('/') + 1)));
}

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
  if (const auto* certificate = call.peer_certificate()) {
    presented.certificate_subject = certificate->subject;
    presented.certificate_expires_at = certificate->expires_at;
  }
  std::string of_handshake;
  if (const auto token = transport::Find(call.metadata(), kHandshakeTokenHeader);
      token && !presented.authorization) {
    of_handshake = "Bearer " + std::string(*token);
    presented.authorization = of_handshake;
  }
  authenticator.Identify(presented, OnLoopOf(call, std::move(alive), std::move(done)));
}

AuthenticatedCall::AuthenticatedCall(AuthenticatedService& guard, transport::ServerCall& call)
    : guard_(guard),
      call_(call),
      audit_(AuditOf(guard.audit_, call)),
      is_action_(call.method().ends_with("/DoAction")) {
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
  auto caller = guard_.authenticator_->CallerOf(*identity_);
  audit_->Watch(*identity_, *caller);
  call_.SetCaller(std::move(caller));
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
  audit_->Say(why);
  call_.Finish(ToCallStatus(why));
  handler_.reset();
}

void AuthenticatedCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (is_action_ && !std::exchange(named_, true)) {
    ::arrow::flight::protocol::Action action;
    if (action.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
      audit_->SetCall("DoAction " + action.type().substr(0, kMaxNameSize));
    }
  }
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

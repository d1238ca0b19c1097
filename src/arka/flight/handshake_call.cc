#include "arka/flight/handshake_call.h"

#include <string>
#include <utility>

#include "arka/flight/authenticated_call.h"
#include "arka/flight/flight.pb.h"
#include "arka/flight/status_mapping.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

HandshakeCall::HandshakeCall(transport::ServerCall& call, auth::Authenticator& authenticator,
                             auth::AuditLog* audit)
    : call_(call), authenticator_(authenticator), audit_(AuditOf(audit, call)) {
  if (!transport::Find(call.metadata(), "authorization")) return;
  asked_ = true;
  IdentifyByHeaders(authenticator, call, alive_, [this](Result<auth::Login> login) {
    OnLogin(std::move(login), /*answers_payload=*/false);
  });
}

void HandshakeCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (std::exchange(asked_, true)) return;
  const Status checked = CheckPayload(*message);
  if (!checked.ok()) Refuse(checked);
}

Status HandshakeCall::CheckPayload(const arrow::Buffer& message) {
  messages::HandshakeRequest request;
  messages::BasicAuth login;
  if (!request.ParseFromArray(message.data(), static_cast<int>(message.size())) ||
      !login.ParseFromString(request.payload()) || login.username().empty()) {
    return Error(ErrorCode::kUnauthenticated,
                 "the Handshake has no user and password: expected the header 'authorization: "
                 "Basic', or a BasicAuth message as the payload");
  }
  authenticator_.CheckPassword(login.username(), login.password(), call_.peer(),
                               OnLoopOf(call_, alive_, [this](Result<auth::Login> checked) {
                                 OnLogin(std::move(checked), /*answers_payload=*/true);
                               }));
  return Status::OK();
}

void HandshakeCall::OnLogin(Result<auth::Login> login, bool answers_payload) {
  if (!login.ok()) return Refuse(login.status());
  logged_in_ = true;
  audit_->Watch(login->identity, call_.caller());
  audit_->Say(Status::OK());
  if (!login->bearer.empty()) call_.AddHeader("authorization", "Bearer " + login->bearer);
  call_.SendHeaders({});
  if (answers_payload) {
    messages::HandshakeResponse response;
    response.set_payload(login->bearer);
    call_.Write({arrow::Buffer::FromString(response.SerializeAsString())});
  }
  if (half_closed_) call_.Finish({});
}

void HandshakeCall::Refuse(const Status& why) {
  audit_->Say(why);
  call_.Finish(ToCallStatus(why));
}

void HandshakeCall::OnHalfClose() {
  half_closed_ = true;
  if (logged_in_) return call_.Finish({});
  if (asked_) return;
  Refuse(Error(ErrorCode::kUnauthenticated, "the Handshake came without user and password"));
}

}  // namespace arka::flight

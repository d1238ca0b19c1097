// Handshake: a user's name and password in, a bearer token out.
//
// They come as the header `authorization: Basic` (pyarrow's authenticate_basic_token, Go, ADBC), or
// as a BasicAuth message in the first HandshakeRequest (Java, and client auth handlers). The token
// goes out as the header `authorization: Bearer`, and as the payload of a HandshakeResponse where
// there was a request. On the call's loop.
#pragma once

#include <memory>

#include "arka/auth/authenticator.h"
#include "arka/auth/call_audit.h"
#include "arka/transport/call.h"

namespace arka::flight {

class HandshakeCall : public transport::CallHandler {
 public:
  /// `audit` may be null.
  HandshakeCall(transport::ServerCall& call, auth::Authenticator& authenticator,
                auth::AuditLog* audit);

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;

 private:
  void OnLogin(Result<auth::Login> login, bool answers_payload);
  void Refuse(const Status& why);
  Status CheckPayload(const arrow::Buffer& message);

  transport::ServerCall& call_;
  auth::Authenticator& authenticator_;
  const std::shared_ptr<auth::CallAudit> audit_;
  bool asked_ = false;  // a login is under way or over
  bool logged_in_ = false;
  bool half_closed_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // expires with the call
};

}  // namespace arka::flight

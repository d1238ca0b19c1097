// One call of an AuthenticatedService: nothing of it is read until its caller is known; then
// everything goes to the handler behind. On its call's loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "arka/auth/authenticator.h"
#include "arka/auth/call_audit.h"
#include "arka/flight/authenticated_service.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// Identifies the caller by the call's headers; `done` runs on the call's loop, before this returns
/// where that is fast, and not at all where what `alive` watches has gone meanwhile.
void IdentifyByHeaders(auth::Authenticator& authenticator, transport::ServerCall& call,
                       std::weak_ptr<void> alive, std::function<void(Result<auth::Login>)> done);

/// The same for what another thread answers: passes it on to the call's loop.
auth::Authenticator::Done OnLoopOf(transport::ServerCall& call, std::weak_ptr<void> alive,
                                   std::function<void(Result<auth::Login>)> done);

/// The entries of `call`, by the name of its method.
std::shared_ptr<auth::CallAudit> AuditOf(auth::AuditLog* log, const transport::ServerCall& call);

class AuthenticatedCall : public transport::CallHandler {
 public:
  AuthenticatedCall(AuthenticatedService& guard, transport::ServerCall& call);
  ~AuthenticatedCall() override;

  void Begin();

  /// Ends the call where its caller has lost what it needs. `grants_changed`: since the last time.
  void LookAgain(bool grants_changed);

  void OnMessage(std::shared_ptr<arrow::Buffer> message) override;
  void OnHalfClose() override;
  void OnWritable() override;
  void OnCancelled(const transport::CallStatus& why) override;

 private:
  void OnLogin(Result<auth::Login> login);
  void End(const Status& why);

  AuthenticatedService& guard_;
  transport::ServerCall& call_;
  const std::shared_ptr<auth::CallAudit> audit_;
  std::optional<auth::Identity> identity_;  // once it is known
  std::unique_ptr<transport::CallHandler> handler_;
  const bool is_action_;
  bool named_ = false;                                                // the action, for the audit
  bool waits_ = false;                                                // for the login
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // expires with the call
};

}  // namespace arka::flight

// What stands before Flight: finds out who calls, then lets the call in.
//
// 1. A call comes: its credentials are looked at, at once where that is fast, else on a thread (a
//    password), and meanwhile nothing of the call is read.
// 2. It is refused, or it gets its Caller and goes on to the service behind. After a password the
//    response headers carry a token for the calls to come.
// 3. While it lasts it is looked at again every second: where what was proved has expired or was
//    revoked, or the caller may no longer do what the call does, it is ended.
// Handshake, whose only business this is, is answered here (handshake_call.h). Without an
// authenticator everybody is let in. Owned by the composition root; used on the loops.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "arka/auth/audit_log.h"
#include "arka/auth/authenticator.h"
#include "arka/transport/call.h"

namespace arka::flight {

class AuthenticatedCall;

class AuthenticatedService : public transport::Service {
 public:
  /// `service`, `authenticator` (null: everybody is let in) and `audit` (null: nothing is written)
  /// must outlive it.
  AuthenticatedService(auth::Authenticator* authenticator, auth::AuditLog* audit,
                       transport::Service& service)
      : authenticator_(authenticator), audit_(audit), service_(service) {}
  ~AuthenticatedService() override;

  /// Makes the loops known whose calls will come: before they run.
  void Bind(const std::vector<transport::EventLoop*>& loops);

  std::unique_ptr<transport::CallHandler> Start(transport::ServerCall& call) override;

 private:
  friend class AuthenticatedCall;

  /// The calls of one loop, on which it is used.
  struct OpenCalls {
    transport::EventLoop& loop;
    std::unordered_set<AuthenticatedCall*> calls;
    int64_t generation = 0;  // of the authenticator, when they were looked at last
  };

  OpenCalls& OpenCallsOf(const transport::EventLoop& loop);
  void LookAgainLater(OpenCalls& open);

  auth::Authenticator* const authenticator_;
  auth::AuditLog* const audit_;
  transport::Service& service_;
  std::vector<std::unique_ptr<OpenCalls>> open_;  // constant after Bind
};

}  // namespace arka::flight

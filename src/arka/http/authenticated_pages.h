// What stands before HTTP: finds out who asks, then lets the request in.
//
// `/healthz`, `/readyz` and what browsers ask beforehand (cors.h) are for everybody, with a caller
// who may do nothing; all else needs credentials (401 says which), as far as possible before a body
// is taken in. Without an authenticator everybody is let in. Owned by the composition root; used on
// the loops.
#pragma once

#include <memory>

#include "arka/auth/authenticator.h"
#include "arka/auth/call_audit.h"
#include "arka/transport/http.h"

namespace arka::http {

class AuthenticatedPages : public transport::HttpHandler {
 public:
  /// `pages`, `authenticator` (null: everybody is let in) and `audit` (null: nothing is written)
  /// must outlive it.
  AuthenticatedPages(auth::Authenticator* authenticator, auth::AuditLog* audit,
                     transport::HttpHandler& pages)
      : authenticator_(authenticator), audit_(audit), pages_(pages) {}

  transport::BodyTerms Admit(const transport::HttpRequest& head) override;
  transport::HttpResponse Refusal(const transport::HttpRequest& head, int status,
                                  std::string_view text) override;
  void Handle(transport::HttpRequest request, transport::HttpResponder respond) override;

 private:
  void Enter(transport::HttpRequest request, const transport::HttpResponder& respond,
             const Result<auth::Login>& login);
  transport::HttpResponse RefusalOf(const transport::HttpRequest& head, const Status& why);

  auth::Authenticator* const authenticator_;
  auth::AuditLog* const audit_;
  transport::HttpHandler& pages_;
  const std::shared_ptr<const auth::Grants> no_grants_ =
      std::make_shared<const auth::Grants>(std::vector<auth::Grant>());
};

}  // namespace arka::http

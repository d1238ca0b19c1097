#include "arka/http/authenticated_pages.h"

#include <memory>
#include <string>
#include <utility>

#include "arka/http/authenticated_body.h"

namespace arka::http {
namespace {

using transport::HttpRequest;
using transport::HttpResponder;
using transport::HttpResponse;

bool IsForEverybody(const HttpRequest& request) {
  if (request.path == "/healthz" || request.path == "/readyz") return true;
  // A browser asks without credentials whether it may send them (http/cors.h).
  return request.method == "OPTIONS" &&
         transport::Find(request.headers, "access-control-request-method").has_value();
}

auth::Presented PresentedBy(const HttpRequest& request) {
  auth::Presented presented;
  presented.authorization = transport::Find(request.headers, "authorization");
  presented.peer = request.peer;
  if (request.certificate != nullptr) {
    presented.certificate_subject = request.certificate->subject;
    presented.certificate_expires_at = request.certificate->expires_at;
  }
  return presented;
}

// Without the query, which may hold anything.
std::shared_ptr<auth::CallAudit> AuditOf(auth::AuditLog* log, const HttpRequest& request) {
  constexpr size_t kMaxPathSize = 200;
  return std::make_shared<auth::CallAudit>(
      log, request.peer, request.method + " " + request.path.substr(0, kMaxPathSize));
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kBackpressure:
      return 429;
    default:
      return 503;
  }
}

}  // namespace

transport::BodyTerms AuthenticatedPages::Admit(const HttpRequest& head) {
  if (authenticator_ == nullptr || IsForEverybody(head)) return pages_.Admit(head);
  // A password that has to be checked is waited for by Handle.
  const auto known = authenticator_->IdentifyAtOnce(PresentedBy(head));
  if (!known) return pages_.Admit(head);
  if (known->ok()) {
    HttpRequest of_caller = head;
    of_caller.caller = authenticator_->CallerOf(**known);
    AuditOf(audit_, head)->WatchForRefusals(**known, *of_caller.caller);
    return pages_.Admit(of_caller);
  }
  AuditOf(audit_, head)->Say(known->status());
  return {.max_bytes = {}, .refusal = RefusalOf(head, known->status())};
}

HttpResponse AuthenticatedPages::Refusal(const HttpRequest& head, int status,
                                         std::string_view text) {
  return pages_.Refusal(head, status, text);
}

HttpResponse AuthenticatedPages::RefusalOf(const HttpRequest& head, const Status& why) {
  HttpResponse refusal = pages_.Refusal(head, StatusOf(CodeOf(why)), why.message());
  if (refusal.status == 401) {
    refusal.headers.emplace_back("www-authenticate", "Bearer realm=\"arka\"");
    refusal.headers.emplace_back("www-authenticate", "Basic realm=\"arka\", charset=\"UTF-8\"");
  }
  return refusal;
}

void AuthenticatedPages::Handle(HttpRequest request, HttpResponder respond) {
  if (authenticator_ == nullptr) return pages_.Handle(std::move(request), std::move(respond));
  if (IsForEverybody(request)) {
    request.caller = std::make_shared<auth::Caller>("", no_grants_);
    return pages_.Handle(std::move(request), std::move(respond));
  }
  auto held = std::make_shared<HttpRequest>(std::move(request));
  authenticator_->Identify(PresentedBy(*held),
                           [this, held, respond = std::move(respond)](Result<auth::Login> login) {
                             transport::EventLoop* loop = held->loop;
                             if (loop == nullptr || loop->InLoop())
                               return Enter(std::move(*held), respond, login);
                             loop->Post([this, held, respond, login = std::move(login)] {
                               Enter(std::move(*held), respond, login);
                             });
                           });
}

void AuthenticatedPages::Enter(HttpRequest request, const HttpResponder& respond,
                               const Result<auth::Login>& login) {
  const auto audit = AuditOf(audit_, request);
  if (!login.ok()) {
    audit->Say(login.status());
    return respond(RefusalOf(request, login.status()));
  }
  request.caller = authenticator_->CallerOf(login->identity);
  audit->Watch(login->identity, *request.caller);
  auto caller = request.caller;
  pages_.Handle(std::move(request), [this, identity = login->identity, caller, audit,
                                     respond](transport::HttpResponse response) {
    if (response.stream != nullptr) {
      response.stream = std::make_shared<AuthenticatedBody>(*authenticator_, identity, caller,
                                                            audit, std::move(response.stream));
    }
    respond(std::move(response));
  });
}

}  // namespace arka::http

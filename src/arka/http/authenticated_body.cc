#include "arka/http/authenticated_body.h"

#include <chrono>
#include <utility>

namespace arka::http {
namespace {

constexpr std::chrono::milliseconds kLookAgainEvery{1'000};

}  // namespace

AuthenticatedBody::AuthenticatedBody(const auth::Authenticator& authenticator,
                                     auth::Identity identity, std::shared_ptr<auth::Caller> caller,
                                     std::shared_ptr<auth::CallAudit> audit,
                                     std::shared_ptr<transport::BodyStream> body)
    : authenticator_(authenticator),
      identity_(std::move(identity)),
      caller_(std::move(caller)),
      audit_(std::move(audit)),
      body_(std::move(body)),
      generation_(authenticator.generation()) {}

void AuthenticatedBody::Start(transport::BodySink& sink) {
  sink_ = &sink;
  LookAgainLater();
  body_->Start(*this);
}

void AuthenticatedBody::LookAgainLater() {
  sink_->loop().PostAfter(kLookAgainEvery, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->sink_ == nullptr) return;
    const Status may = self->StillMay();
    if (may.ok()) return self->LookAgainLater();
    self->audit_->Say(may);
    self->body_->OnClosed();
    self->Abort();
  });
}

Status AuthenticatedBody::StillMay() {
  ARROW_RETURN_NOT_OK(authenticator_.StillHolds(identity_));
  const int64_t generation = authenticator_.generation();
  if (std::exchange(generation_, generation) == generation) return Status::OK();
  return caller_->Renew(authenticator_.grants());
}

void AuthenticatedBody::OnWritable() { body_->OnWritable(); }

void AuthenticatedBody::OnClosed() {
  sink_ = nullptr;
  body_->OnClosed();
}

void AuthenticatedBody::Finish() { std::exchange(sink_, nullptr)->Finish(); }

void AuthenticatedBody::Abort() { std::exchange(sink_, nullptr)->Abort(); }

}  // namespace arka::http

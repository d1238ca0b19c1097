// The body of an answer that is made while it is sent, for as long as its caller is who he was: it
// is looked at every second, and aborted where what was proved has expired or was revoked, or the
// caller may no longer do what he was let do. On the loop's thread.
#pragma once

#include <memory>

#include "arka/auth/authenticator.h"
#include "arka/auth/call_audit.h"
#include "arka/transport/http.h"

namespace arka::http {

class AuthenticatedBody : public transport::BodyStream,
                          public transport::BodySink,
                          public std::enable_shared_from_this<AuthenticatedBody> {
 public:
  /// `authenticator` must outlive it.
  AuthenticatedBody(const auth::Authenticator& authenticator, auth::Identity identity,
                    std::shared_ptr<auth::Caller> caller, std::shared_ptr<auth::CallAudit> audit,
                    std::shared_ptr<transport::BodyStream> body);

  void Start(transport::BodySink& sink) override;
  void OnWritable() override;
  void OnClosed() override;

  transport::EventLoop& loop() override { return sink_->loop(); }
  void Write(std::shared_ptr<arrow::Buffer> bytes) override { sink_->Write(std::move(bytes)); }
  size_t queued_bytes() const override { return sink_->queued_bytes(); }
  void Finish() override;
  void Abort() override;

 private:
  void LookAgainLater();
  Status StillMay();

  const auth::Authenticator& authenticator_;
  const auth::Identity identity_;
  const std::shared_ptr<auth::Caller> caller_;
  const std::shared_ptr<auth::CallAudit> audit_;
  const std::shared_ptr<transport::BodyStream> body_;
  int64_t generation_;                   // of the authenticator, when it was looked at last
  transport::BodySink* sink_ = nullptr;  // while the body goes on
};

}  // namespace arka::http

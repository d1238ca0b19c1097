// Answers on the port while the server starts, and hands everything on once it is open.
//
// A start that has gigabytes of log to read takes a while: meanwhile `/healthz` is 200 (do not kill
// it), `/readyz` 503 with how far it is, or with what it waits for (do not send to it), and calls
// are refused as retryable. Owned by the composition root; thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "arka/ingest/recovery_progress.h"
#include "arka/transport/call.h"
#include "arka/transport/http.h"

namespace arka {

class StartGate : public transport::Service, public transport::HttpHandler {
 public:
  /// Where the recovery reports to.
  ingest::RecoveryProgress& progress() { return progress_; }

  /// What the start waits for and why, "" for nothing.
  void SetWaitingFor(std::string reason);

  /// From now on both answer, which must outlive the gate's callers. Once.
  void Open(transport::Service& service, transport::HttpHandler& pages);

  std::unique_ptr<transport::CallHandler> Start(transport::ServerCall& call) override;
  transport::BodyTerms Admit(const transport::HttpRequest& head) override;
  transport::HttpResponse Refusal(const transport::HttpRequest& head, int status,
                                  std::string_view text) override;
  void Handle(transport::HttpRequest request, transport::HttpResponder respond) override;

 private:
  struct Inside {
    transport::Service& service;
    transport::HttpHandler& pages;
  };

  std::string waiting_for() const;

  ingest::RecoveryProgress progress_;
  mutable std::mutex mutex_;
  std::string waiting_for_;  // guarded by mutex_
  std::unique_ptr<Inside> inside_;
  std::atomic<Inside*> open_{nullptr};
};

}  // namespace arka

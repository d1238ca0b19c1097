// What a browser, curl and a load balancer see on Arka's port.
//
// `/` is a short status, as text or as JSON (`Accept: application/json`); `/api/v1/status` is
// always JSON; `/healthz` answers 200 while the process lives; `/readyz` 200 while writes are
// taken, else 503 with the reason. Thread-safe, never blocks.
#pragma once

#include <atomic>

#include "arka/ingest/engine.h"
#include "arka/transport/http.h"

namespace arka::http {

class StatusPages : public transport::HttpHandler {
 public:
  explicit StatusPages(ingest::Engine& engine) : engine_(engine) {}

  void Handle(transport::HttpRequest request, transport::HttpResponder respond) override;

  /// From here on `/readyz` says that the server stops.
  void Shutdown() { shutting_down_ = true; }

 private:
  transport::HttpResponse Answer(const transport::HttpRequest& request) const;

  ingest::Engine& engine_;
  std::atomic<bool> shutting_down_{false};
};

}  // namespace arka::http

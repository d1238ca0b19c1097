// GET /api/v1/acks/{session}: the acks of a session's writes, as server-sent events
// (docs/spec/wire.md, "HTTP").
//
// Each event's `data` is {"events": [...]} as the action durability_status gives them, its `id` the
// position that Last-Event-ID goes on from. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "arka/acks/session_registry.h"
#include "arka/ingest/engine.h"
#include "arka/io/clock.h"
#include "arka/transport/http.h"

namespace arka::http {

inline constexpr std::string_view kAcksPath = "/api/v1/acks/";

class AckEvents {
 public:
  /// All must outlive the events and the answers that they began.
  AckEvents(const ingest::Engine& engine, const acks::SessionRegistry& sessions, const Clock& clock)
      : engine_(engine), sessions_(sessions), clock_(clock) {}

  void Handle(const transport::HttpRequest& request, const transport::HttpResponder& respond);

  /// Streams end once they have told everything.
  void Shutdown() { *shutting_down_ = true; }

 private:
  transport::HttpResponse Answer(const transport::HttpRequest& request);

  const ingest::Engine& engine_;
  const acks::SessionRegistry& sessions_;
  const Clock& clock_;
  const std::shared_ptr<std::atomic<bool>> shutting_down_ =
      std::make_shared<std::atomic<bool>>(false);
};

}  // namespace arka::http

#include "arka/server/start_gate.h"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "arka/flight/status_mapping.h"

namespace arka {

void StartGate::Open(transport::Service& service, transport::HttpHandler& pages) {
  inside_ = std::make_unique<Inside>(Inside{service, pages});
  open_.store(inside_.get(), std::memory_order_release);
}

void StartGate::SetWaitingFor(std::string reason) {
  const std::lock_guard lock(mutex_);
  waiting_for_ = std::move(reason);
}

std::string StartGate::waiting_for() const {
  const std::lock_guard lock(mutex_);
  return waiting_for_;
}

std::unique_ptr<transport::CallHandler> StartGate::Start(transport::ServerCall& call) {
  if (Inside* inside = open_.load(std::memory_order_acquire)) return inside->service.Start(call);
  if (const std::string reason = waiting_for(); !reason.empty()) {
    call.Finish(flight::ToCallStatus(Error(
        ErrorCode::kUnavailable, "the server is starting, and waits for ", reason, "; try again")));
    return nullptr;
  }
  call.Finish(flight::ToCallStatus(
      Error(ErrorCode::kUnavailable, "the server is starting: ", progress_.bytes_done.load() >> 20,
            " of ", progress_.bytes_total.load() >> 20, " MB of its log are read; try again")));
  return nullptr;
}

transport::BodyTerms StartGate::Admit(const transport::HttpRequest& head) {
  if (Inside* inside = open_.load(std::memory_order_acquire)) return inside->pages.Admit(head);
  return {};
}

transport::HttpResponse StartGate::Refusal(const transport::HttpRequest& head, int status,
                                           std::string_view text) {
  if (Inside* inside = open_.load(std::memory_order_acquire)) {
    return inside->pages.Refusal(head, status, text);
  }
  return HttpHandler::Refusal(head, status, text);
}

void StartGate::Handle(transport::HttpRequest request, transport::HttpResponder respond) {
  if (Inside* inside = open_.load(std::memory_order_acquire)) {
    inside->pages.Handle(std::move(request), std::move(respond));
    return;
  }
  transport::HttpResponse response;
  if (request.path == "/healthz") {
    response.body = "ok\n";
  } else {
    response.status = 503;
    response.content_type = "application/json";
    const std::string reason = waiting_for();
    const nlohmann::ordered_json waiting = {{"state", "waiting"}, {"for", reason}};
    response.body =
        !reason.empty()
            ? waiting.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"
            : R"({"state":"recovering","bytes_done":)" +
                  std::to_string(progress_.bytes_done.load()) + R"(,"bytes_total":)" +
                  std::to_string(progress_.bytes_total.load()) + "}\n";
  }
  respond(std::move(response));
}

}  // namespace arka

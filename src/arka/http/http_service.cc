#include "arka/http/http_service.h"

#include <utility>

#include "arka/http/error_answer.h"
#include "arka/http/openapi.h"

namespace arka::http {
namespace {

constexpr std::string_view kApiPath = "/api/";

}  // namespace

HttpService::HttpService(ingest::Engine& engine, query::TableReads& reads,
                         acks::LoopContexts& contexts, acks::SessionRegistry& sessions,
                         const Clock& clock, const HttpOptions& options)
    : cors_(options.cors),
      pages_(engine),
      writes_({engine, reads, contexts, sessions, clock, options.writes}),
      acks_(engine, sessions, clock),
      queries_(reads) {}

transport::BodyTerms HttpService::Admit(const transport::HttpRequest& head) {
  if (cors_.IsPreflight(head) || !head.path.starts_with(kTablesPath)) return {};
  auto terms = writes_.Admit(head);
  if (terms.refusal) cors_.Allow(head, *terms.refusal);
  return terms;
}

transport::HttpResponse HttpService::Refusal(const transport::HttpRequest& head, int status,
                                             std::string_view text) {
  if (!head.path.starts_with(kApiPath)) return HttpHandler::Refusal(head, status, text);
  const std::string_view code = status == 401   ? "UNAUTHENTICATED"
                                : status == 503 ? "UNAVAILABLE"
                                                : "RESOURCE_EXHAUSTED";
  auto refusal = ErrorAnswer(status, code, text);
  cors_.Allow(head, refusal);
  return refusal;
}

void HttpService::Handle(transport::HttpRequest request, transport::HttpResponder respond) {
  if (cors_.IsPreflight(request)) return respond(cors_.AnswerPreflight(request));
  respond = cors_.Allowing(request, std::move(respond));
  if (request.path.starts_with(kTablesPath)) {
    return writes_.Handle(std::move(request), std::move(respond));
  }
  if (request.path.starts_with(kAcksPath)) return acks_.Handle(request, respond);
  if (request.path == kQueryPath) return queries_.Handle(request, std::move(respond));
  if (request.path == kOpenApiPath && (request.method == "GET" || request.method == "HEAD")) {
    return respond(OpenApiAnswer());
  }
  pages_.Handle(std::move(request), std::move(respond));
}

void HttpService::Shutdown() {
  pages_.Shutdown();
  writes_.Shutdown();
  acks_.Shutdown();
}

}  // namespace arka::http

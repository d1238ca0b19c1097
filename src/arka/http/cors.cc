#include "arka/http/cors.h"

#include <algorithm>
#include <utility>

namespace arka::http {
namespace {

constexpr std::string_view kAnyOrigin = "*";
constexpr std::string_view kMethods = "GET, POST";
constexpr std::string_view kHeaders =
    "authorization, content-type, last-event-id, arka-acks, arka-producer, "
    "arka-producer-epoch, arka-seq, arka-session";
constexpr std::string_view kMaxAgeSeconds = "600";

}  // namespace

bool Cors::IsPreflight(const transport::HttpRequest& request) const {
  return !options_.origins.empty() && request.method == "OPTIONS" &&
         transport::Find(request.headers, "access-control-request-method").has_value();
}

transport::HttpResponse Cors::AnswerPreflight(const transport::HttpRequest& request) const {
  transport::HttpResponse response;
  response.headers = HeadersFor(request);
  if (response.headers.empty()) {
    response.status = 403;
    response.body = "this origin is not in http.cors_origins\n";
    return response;
  }
  response.headers.emplace_back("access-control-allow-methods", kMethods);
  response.headers.emplace_back("access-control-allow-headers", kHeaders);
  response.headers.emplace_back("access-control-max-age", kMaxAgeSeconds);
  return response;
}

void Cors::Allow(const transport::HttpRequest& request, transport::HttpResponse& response) const {
  for (auto& header : HeadersFor(request)) response.headers.push_back(std::move(header));
}

transport::HttpResponder Cors::Allowing(const transport::HttpRequest& request,
                                        transport::HttpResponder respond) const {
  auto headers = HeadersFor(request);
  if (headers.empty()) return respond;
  return [headers = std::move(headers),
          respond = std::move(respond)](transport::HttpResponse response) {
    response.headers.insert(response.headers.end(), headers.begin(), headers.end());
    respond(std::move(response));
  };
}

transport::Metadata Cors::HeadersFor(const transport::HttpRequest& request) const {
  const auto origin = transport::Find(request.headers, "origin");
  if (!origin) return {};
  const bool any = std::ranges::count(options_.origins, kAnyOrigin) > 0;
  if (!any && std::ranges::count(options_.origins, *origin) == 0) return {};
  return {{"access-control-allow-origin", any ? std::string(kAnyOrigin) : std::string(*origin)},
          {"access-control-expose-headers", "retry-after"},
          {"vary", "origin"}};
}

}  // namespace arka::http

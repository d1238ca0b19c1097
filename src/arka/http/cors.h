// Which pages of other origins a browser lets use this server (the Fetch standard, "CORS
// protocol").
//
// Off where no origin is named: a browser then keeps other sites' pages out. A value.
#pragma once

#include <string>
#include <vector>

#include "arka/transport/http.h"

namespace arka::http {

struct CorsOptions {
  std::vector<std::string> origins;  // "https://app.example.com", or "*" for all; none: off
};

class Cors {
 public:
  explicit Cors(CorsOptions options) : options_(std::move(options)) {}

  /// Whether a browser asks, before a page's own request, if that is allowed.
  bool IsPreflight(const transport::HttpRequest& request) const;
  transport::HttpResponse AnswerPreflight(const transport::HttpRequest& request) const;

  /// Says in `response` that the request's origin may see it, where it may.
  void Allow(const transport::HttpRequest& request, transport::HttpResponse& response) const;
  /// The same for an answer that is still to come.
  transport::HttpResponder Allowing(const transport::HttpRequest& request,
                                    transport::HttpResponder respond) const;

 private:
  transport::Metadata HeadersFor(const transport::HttpRequest& request) const;

  const CorsOptions options_;
};

}  // namespace arka::http

// The HTTP client seam: one request, one attempt, one answer.
//
// Real: CurlHttpClient (io/curl_http_client.h). Tests: ScriptedHttpClient (testing/). Nothing is
// sent a second time and no redirect is followed: whoever calls decides what another attempt may
// do, for the first one may have had its effect although its answer was lost. Thread-safe; calls
// block, for a bounded time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/base/error.h"

namespace arka {

struct HttpHeader {
  std::string name = {};
  std::string value = {};
};

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};  // http:// or https://, already percent-encoded
  std::vector<HttpHeader> headers = {};
  std::string body = {};
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers = {};  // names in lower case
  std::string body = {};

  /// The first header of that name (in lower case); "" where there is none.
  std::string_view Header(std::string_view name) const {
    for (const HttpHeader& header : headers) {
      if (header.name == name) return header.value;
    }
    return {};
  }
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// The answer, whatever its status. Errors tell whether the request can have had an effect:
  /// kInvalidRequest (no such URL) and kUnavailable (no connection) mean that none of it was sent.
  /// After any other error it may have been received: kTimedOut, kIoFailed (the connection broke),
  /// kTooLarge (the answer is over the client's limit).
  virtual Result<HttpResponse> Send(const HttpRequest& request) = 0;
};

}  // namespace arka

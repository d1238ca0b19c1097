// The HttpClient seam on libcurl: HTTP/1.1, in the clear and with TLS.
//
// Every request has a connection of its own. On one that is used again libcurl sends a request
// twice by itself when the server closes it just then, and a commit must not be sent twice. The
// certificates trusted are the system's; proxies are those of the environment (https_proxy,
// no_proxy).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "arka/io/http_client.h"

namespace arka {

struct CurlHttpOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);  // over all, connecting too
  int64_t max_response_bytes = 64 << 20;  // of the body; the headers may have 1 MB
};

class CurlHttpClient final : public HttpClient {
 public:
  /// Starts libcurl, once in a process. Opens nothing.
  static Result<std::unique_ptr<CurlHttpClient>> Make(const CurlHttpOptions& options);

  Result<HttpResponse> Send(const HttpRequest& request) override;

 private:
  explicit CurlHttpClient(const CurlHttpOptions& options) : options_(options) {}

  const CurlHttpOptions options_;
};

}  // namespace arka

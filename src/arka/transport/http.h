// The transport seam for everything that is not gRPC: plain HTTP/1.1 and HTTP/2 requests.
//
// Runs on a loop's thread and must not block; an answer may come later, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/buffer.h>

#include "arka/transport/call.h"

namespace arka::transport {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query; "/healthz"
  std::string query;   // raw, without '?'
  Metadata headers;    // names in lower case
  std::string body;    // bounded by ServerOptions::max_http_body_bytes
  std::string peer;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  Metadata headers;  // besides content-type, content-length, date
  std::string body;
};

/// Sends the answer; call exactly once, from any thread. Dropped where the client has gone.
using HttpResponder = std::function<void(HttpResponse)>;

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void Handle(HttpRequest request, HttpResponder respond) = 0;
};

}  // namespace arka::transport

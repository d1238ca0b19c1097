// The transport seam for everything that is not gRPC: plain HTTP/1.1 and HTTP/2 requests.
//
// A request's body comes whole, bounded and paid for out of the server's memory for messages. An
// answer's body is whole too, or a BodyStream that makes it while it is sent. Handlers are called
// on a loop's thread and must not block; an answer may come later, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
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
  /// Counts as a message being received for as long as anybody holds it. Null: there is none.
  std::shared_ptr<arrow::Buffer> body;
  std::string peer;
  std::shared_ptr<const PeerCertificate> certificate;             // as ServerCall::peer_certificate
  std::shared_ptr<auth::Caller> caller = auth::Caller::Anyone();  // as ServerCall::caller
  EventLoop* loop = nullptr;         // the one that the handler is called on
  std::weak_ptr<const void> client;  // expires once nobody waits for the answer any more

  std::string_view body_text() const {
    return body == nullptr ? std::string_view() : std::string_view(*body);
  }
};

/// Where a BodyStream writes to: the transport's side of an answer. On the loop's thread only.
class BodySink {
 public:
  virtual ~BodySink() = default;

  virtual EventLoop& loop() = 0;
  /// Queues bytes, which are sent as the client takes them.
  virtual void Write(std::shared_ptr<arrow::Buffer> bytes) = 0;
  /// Bytes given to Write that have not yet been taken by the connection.
  virtual size_t queued_bytes() const = 0;
  /// The body is complete. The sink must not be used any more.
  virtual void Finish() = 0;
  /// The body will not be complete, and the client sees that. As Finish, the last call.
  virtual void Abort() = 0;
};

/// The body of an answer, made while it is sent. On the loop's thread only.
class BodyStream {
 public:
  virtual ~BodyStream() = default;

  /// Called once. `sink` may be used from here on, until it is finished or OnClosed.
  virtual void Start(BodySink& sink) = 0;
  /// queued_bytes() fell below the transport's low-water mark after having been above.
  virtual void OnWritable() {}
  /// The client has gone, or the server stops: the sink is no more. Not after Finish or Abort.
  virtual void OnClosed() = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  Metadata headers = {};  // besides content-type, content-length, transfer-encoding, date
  std::string body = {};
  std::shared_ptr<BodyStream> stream = nullptr;  // instead of `body`
};

/// Sends the answer; call exactly once, from any thread. Dropped where the client has gone; its
/// stream is then destroyed without having been started.
using HttpResponder = std::function<void(HttpResponse)>;

/// What may come after a request's head.
struct BodyTerms {
  std::optional<size_t> max_bytes;      // nothing: ServerOptions::max_http_body_bytes
  std::optional<HttpResponse> refusal;  // the answer, before anything of the body is taken in
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  /// A request's head is here; `head` has no body. Handle follows once the body is, except after a
  /// refusal.
  virtual BodyTerms Admit(const HttpRequest& head);
  /// What the transport answers where a body is over its limit (413) or over what the server has
  /// memory for (429).
  virtual HttpResponse Refusal(const HttpRequest& head, int status, std::string_view text);

  virtual void Handle(HttpRequest request, HttpResponder respond) = 0;
};

}  // namespace arka::transport

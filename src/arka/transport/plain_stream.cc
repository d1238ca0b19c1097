#include "arka/transport/plain_stream.h"

#include <utility>

#include "arka/transport/http2_session.h"
#include "arka/transport/http_exchange.h"

namespace arka::transport {

PlainStream::PlainStream(Http2Session& session, int32_t id) : Http2Stream(session, id) {}

PlainStream::~PlainStream() = default;

void PlainStream::Start(RequestHead head) {
  request_.method = std::move(head.method);
  if (head.too_large) {
    return Respond(TextResponse(431, "The request's header fields are too large"));
  }
  if (head.content_type.starts_with("application/grpc")) {
    return Respond(TextResponse(
        415, "Unsupported gRPC variant: expected POST with content-type application/grpc"));
  }
  if (!ParseTarget(head.target, request_)) {
    return Respond(TextResponse(400, "The request's path is malformed"));
  }
  request_.headers = std::move(head.fields);
  if (!head.authority.empty()) request_.headers.emplace_back("host", std::move(head.authority));
  request_.peer = session_.connection().peer();
}

void PlainStream::OnData(ByteSpan bytes) {
  session_.ConsumeStream(id(), bytes.size());
  if (answered_) return;
  const size_t limit = session_.connection().context().server.options.max_http_body_bytes;
  if (request_.body.size() + bytes.size() > limit) {
    request_.body = {};
    return Respond(TextResponse(
        413, "The request's body is over the limit of " + std::to_string(limit) + " bytes"));
  }
  request_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void PlainStream::OnPeerEnd() {
  if (answered_) return;
  ConnectionContext& context = session_.connection().context();
  HttpRequest request = std::move(request_);
  request_.method = request.method;
  context.server.http.Handle(
      std::move(request), [tasks = context.loop.tasks(), connection = session_.connection().weak(),
                           id = id()](HttpResponse response) {
        tasks->Push(
            [connection, id, response = std::move(response)]() mutable {
              const auto alive = connection.lock();
              if (!alive || (*alive)->session() == nullptr) return;
              auto& session = static_cast<Http2Session&>(*(*alive)->session());
              // Streams are never renumbered, so `id` is still this one or nothing.
              if (Http2Stream* stream = session.FindStream(id)) {
                static_cast<PlainStream*>(stream)->Respond(std::move(response));
              }
            },
            true);
      });
}

void PlainStream::Respond(HttpResponse response) {
  if (std::exchange(answered_, true)) return;
  Metadata fields = {
      {":status", std::to_string(response.status)},
      {"content-type", std::move(response.content_type)},
      {"content-length", std::to_string(response.body.size())},
      {"date", HttpDate(session_.connection().context().server.clock.WallNow())},
  };
  for (auto& field : response.headers) fields.push_back(std::move(field));
  const bool has_body = request_.method != "HEAD" && !response.body.empty();
  if (has_body) {
    output_.Append(arrow::Buffer::FromString(std::move(response.body)));
    output_ended_ = true;
  }
  session_.SubmitHeaders(*this, fields, !has_body);
}

void PlainStream::End(const CallStatus& why) { Respond(TextResponse(503, why.message)); }

}  // namespace arka::transport

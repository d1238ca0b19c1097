#include "arka/transport/plain_stream.h"

#include <utility>

#include <nghttp2/nghttp2.h>

#include "arka/transport/http2_session.h"
#include "arka/transport/http_exchange.h"

namespace arka::transport {

PlainStream::PlainStream(Http2Session& session, int32_t id)
    : Http2Stream(session, id),
      body_(session.connection().context().server.shared_budget),
      max_body_bytes_(session.connection().context().server.options.max_http_body_bytes) {}

PlainStream::~PlainStream() { CloseBody(); }

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
  request_.certificate = session_.connection().peer_certificate();
  ConnectionContext& context = session_.connection().context();
  request_.loop = &context.loop;
  request_.client = client_;
  BodyTerms terms = context.server.http.Admit(request_);
  if (terms.refusal) return Respond(std::move(*terms.refusal));
  max_body_bytes_ = terms.max_bytes.value_or(max_body_bytes_);
  if (const auto length = ContentLength(request_.headers)) {
    if (*length > max_body_bytes_) return Refuse(413, TooLargeText(max_body_bytes_));
    body_.Expect(*length);
  }
  if (ExpectsContinue(request_.headers)) session_.SubmitContinue(id());
}

void PlainStream::Refuse(int status, std::string_view text) {
  body_.Clear();
  Respond(session_.connection().context().server.http.Refusal(request_, status, text));
}

void PlainStream::OnData(ByteSpan bytes) {
  session_.ConsumeStream(id(), bytes.size());
  if (answered_) return;
  if (body_.size() + bytes.size() > max_body_bytes_) {
    return Refuse(413, TooLargeText(max_body_bytes_));
  }
  if (!body_.Append(bytes.data(), bytes.size())) Refuse(429, kNoMemoryText);
}

void PlainStream::OnPeerEnd() {
  if (answered_) return;
  ConnectionContext& context = session_.connection().context();
  HttpRequest request = std::move(request_);
  request_.method = request.method;
  request.body = body_.Take();
  open_.emplace(context.server);
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
      {"date", HttpDate(session_.connection().context().server.clock.WallNow())},
  };
  if (!response.stream) {
    fields.emplace_back("content-length", std::to_string(response.body.size()));
  }
  for (auto& field : response.headers) fields.push_back(std::move(field));
  if (response.stream && request_.method != "HEAD") {
    session_.SubmitHeaders(*this, fields, false);
    stream_ = std::move(response.stream);
    const auto stream = stream_;  // it may finish at once
    return stream->Start(*this);
  }
  open_.reset();
  const bool has_body = request_.method != "HEAD" && !response.body.empty();
  if (has_body) {
    output_.Append(arrow::Buffer::FromString(std::move(response.body)));
    output_ended_ = true;
  }
  session_.SubmitHeaders(*this, fields, !has_body);
}

EventLoop& PlainStream::loop() { return session_.connection().context().loop; }

void PlainStream::Write(std::shared_ptr<arrow::Buffer> bytes) {
  output_.Append(std::move(bytes));
  if (output_.size() >= kBodyLowWaterBytes) above_low_water_ = true;
  Wake();
}

void PlainStream::Finish() {
  stream_.reset();
  open_.reset();
  output_ended_ = true;
  Wake();
}

void PlainStream::Abort() {
  stream_.reset();
  open_.reset();
  session_.Reset(id(), NGHTTP2_INTERNAL_ERROR);
}

void PlainStream::OnOutputTaken() {
  if (!above_low_water_ || output_.size() >= kBodyLowWaterBytes) return;
  above_low_water_ = false;
  if (const auto stream = stream_) stream->OnWritable();
}

void PlainStream::CloseBody() {
  open_.reset();
  if (const auto stream = std::exchange(stream_, nullptr)) stream->OnClosed();
}

void PlainStream::OnClosed(const CallStatus& /*why*/) { CloseBody(); }

void PlainStream::End(const CallStatus& why) {
  if (!stream_) return Respond(TextResponse(503, why.message));
  CloseBody();
  session_.Reset(id(), NGHTTP2_INTERNAL_ERROR);
}

}  // namespace arka::transport

// A plain HTTP request on an HTTP/2 stream: gathers the body, asks the HttpHandler, answers at once
// or as a stream.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "arka/transport/connection_context.h"
#include "arka/transport/http.h"
#include "arka/transport/http2_stream.h"
#include "arka/transport/request_body.h"
#include "arka/transport/request_head.h"

namespace arka::transport {

class PlainStream final : public Http2Stream, private BodySink {
 public:
  PlainStream(Http2Session& session, int32_t id);
  ~PlainStream() override;

  void Start(RequestHead head);
  void Respond(HttpResponse response);

  void OnData(ByteSpan bytes) override;
  void OnPeerEnd() override;
  void OnClosed(const CallStatus& why) override;
  void OnOutputTaken() override;
  void End(const CallStatus& why) override;

 private:
  EventLoop& loop() override;
  void Write(std::shared_ptr<arrow::Buffer> bytes) override;
  size_t queued_bytes() const override { return output_.size(); }
  void Finish() override;
  void Abort() override;

  void Refuse(int status, std::string_view text);
  void CloseBody();

  const std::shared_ptr<const bool> client_ = std::make_shared<const bool>(true);
  HttpRequest request_;
  RequestBody body_;
  size_t max_body_bytes_;
  std::optional<OpenCall> open_;  // while the handler has to answer, or its stream to end
  std::shared_ptr<BodyStream> stream_;
  bool answered_ = false;
  bool above_low_water_ = false;
};

}  // namespace arka::transport

// A plain HTTP request on an HTTP/2 stream: gathers the body, asks the HttpHandler, answers.
#pragma once

#include <string>

#include "arka/transport/http.h"
#include "arka/transport/http2_stream.h"
#include "arka/transport/request_head.h"

namespace arka::transport {

class PlainStream final : public Http2Stream {
 public:
  PlainStream(Http2Session& session, int32_t id);
  ~PlainStream() override;

  void Start(RequestHead head);
  void Respond(HttpResponse response);

  void OnData(ByteSpan bytes) override;
  void OnPeerEnd() override;
  void OnClosed(const CallStatus& /*why*/) override {}
  void End(const CallStatus& why) override;

 private:
  HttpRequest request_;
  bool answered_ = false;
};

}  // namespace arka::transport

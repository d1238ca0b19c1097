// One gRPC call on an HTTP/2 stream: the real ServerCall.
//
// Between nghttp2's callbacks (through Http2Stream) and the service's handler. The transport itself
// ends a call at its deadline and at broken or oversized messages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arka/transport/call.h"
#include "arka/transport/grpc_framing.h"
#include "arka/transport/http2_stream.h"
#include "arka/transport/request_head.h"
#include "arka/transport/timer_queue.h"

namespace arka::transport {

/// OnWritable is called when queued bytes fall below this.
inline constexpr size_t kLowWaterBytes = 256 << 10;

class GrpcStream final : public Http2Stream, public ServerCall {
 public:
  GrpcStream(Http2Session& session, int32_t id);
  ~GrpcStream() override;

  /// The request's headers are complete.
  void Start(RequestHead head);

  void OnData(ByteSpan bytes) override;
  void OnPeerEnd() override;
  void OnClosed(const CallStatus& why) override;
  void OnOutputTaken() override;
  void OnRevisit() override;
  void End(const CallStatus& why) override;
  MutableByteSpan read_target() override;

  std::string_view method() const override { return method_; }
  const Metadata& metadata() const override { return metadata_; }
  std::string_view peer() const override;
  const PeerCertificate* peer_certificate() const override;
  std::optional<SteadyTime> deadline() const override { return deadline_; }
  EventLoop& loop() override;
  void SendHeaders(Metadata metadata) override;
  void Write(std::vector<std::shared_ptr<arrow::Buffer>> parts) override;
  size_t queued_bytes() const override { return output_.size(); }
  void Finish(CallStatus status) override;
  void PauseReading() override { paused_ = true; }
  void ResumeReading() override;

 private:
  std::optional<CallStatus> Accept(RequestHead head);
  void SetDeadline(std::chrono::nanoseconds timeout);
  void Deliver(std::shared_ptr<arrow::Buffer> message);
  void DeliverHeld();
  void GiveBackWindow();
  bool Hold(std::shared_ptr<arrow::Buffer> message);
  void ReleaseHeld(size_t bytes);

  std::string method_;
  Metadata metadata_;
  std::optional<SteadyTime> deadline_;
  TimerId deadline_timer_;
  std::unique_ptr<CallHandler> handler_;
  GrpcDeframer deframer_;
  std::vector<std::shared_ptr<arrow::Buffer>> held_;  // whole messages, while paused
  size_t held_bytes_ = 0;
  size_t unconsumed_bytes_ = 0;  // received, not yet given back to the stream's window
  bool headers_sent_ = false;
  bool finished_ = false;  // Finish was called or the transport ended the call
  bool paused_ = false;
  bool half_close_due_ = false;
  bool above_low_water_ = false;
};

}  // namespace arka::transport

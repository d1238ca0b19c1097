// The transport seam: what a Flight service sees of a gRPC call.
//
// The services are written against this and never see HTTP/2. The real transport (server.h) speaks
// gRPC over nghttp2; InProcessTransport (in_process.h) runs the same services in tests. Every
// method and callback of a call runs on its loop's thread; from another thread, go through
// loop().Post with a weak handle of your own, since a call may end at any moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>

#include "arka/auth/caller.h"
#include "arka/io/clock.h"
#include "arka/transport/event_loop.h"
#include "arka/transport/peer_certificate.h"

namespace arka::transport {

/// gRPC metadata: names in lower case, in the order of the wire; "-bin" values are decoded bytes.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// The first value of `name`, or nothing.
std::optional<std::string_view> Find(const Metadata& metadata, std::string_view name);

/// gRPC status codes, https://grpc.io/docs/guides/status-codes/.
enum class GrpcCode : uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16
};

struct CallStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;  // UTF-8; the transport percent-encodes it
  Metadata trailers;    // besides grpc-status and grpc-message
};

/// The transport's side of one call. Lives until the handler is destroyed.
class ServerCall {
 public:
  virtual ~ServerCall() = default;

  /// The request path, e.g. "/arrow.flight.protocol.FlightService/DoExchange".
  virtual std::string_view method() const = 0;
  virtual const Metadata& metadata() const = 0;
  /// Who calls, e.g. "127.0.0.1:40312" or "[::1]:40312".
  virtual std::string_view peer() const = 0;
  /// What his certificate says; null where TLS has verified none.
  virtual const PeerCertificate* peer_certificate() const { return nullptr; }
  /// Who that is and what he may do: anyone, until the service in front has found it out.
  auth::Caller& caller() { return *caller_; }
  const std::shared_ptr<auth::Caller>& shared_caller() const { return caller_; }  // any thread
  void SetCaller(std::shared_ptr<auth::Caller> caller) { caller_ = std::move(caller); }
  /// From grpc-timeout. The transport itself ends the call when it passes.
  virtual std::optional<SteadyTime> deadline() const = 0;
  virtual EventLoop& loop() = 0;

  /// Sends response headers at once, with `metadata` added. At most once, before the first Write;
  /// Write and Finish send plain ones where it was not called.
  virtual void SendHeaders(Metadata metadata) = 0;

  /// Adds one to the response headers, whoever sends them; before they are sent.
  void AddHeader(std::string name, std::string value) {
    added_headers_.emplace_back(std::move(name), std::move(value));
  }

  /// Queues one message, sent when the peer's window allows. The transport adds gRPC's prefix.
  /// The parts are sent one after the other as one message and are kept alive, not copied, where
  /// they are large.
  virtual void Write(std::vector<std::shared_ptr<arrow::Buffer>> parts) = 0;

  /// Bytes given to Write that have not yet been taken by the connection.
  virtual size_t queued_bytes() const = 0;

  /// Sends what is queued, then `status`; the handler gets no further callbacks, and is destroyed
  /// once the peer has it or the stream is gone. What the peer still sends is thrown away.
  virtual void Finish(CallStatus status) = 0;

  /// While paused, no OnMessage: the stream's window is not given back, so that the peer stops
  /// after what it may still send. Other streams of the connection go on.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

 protected:
  const Metadata& added_headers() const { return added_headers_; }

 private:
  Metadata added_headers_;
  std::shared_ptr<auth::Caller> caller_ = auth::Caller::Anyone();
};

/// A service's side of one call; made by Service::Start, owned and destroyed by the transport, on
/// the loop. Destruction means that the call is over, for whatever reason.
class CallHandler {
 public:
  virtual ~CallHandler() = default;

  /// One whole message, without gRPC's prefix, in a buffer of its own whose END is 64-byte aligned
  /// (so that the body, which comes last in FlightData, keeps Arrow's 8-byte grid).
  virtual void OnMessage(std::shared_ptr<arrow::Buffer> message) = 0;

  /// The peer has sent everything. Also follows the last message of a unary call.
  virtual void OnHalfClose() = 0;

  /// queued_bytes() fell below the transport's low-water mark after having been above.
  virtual void OnWritable() {}

  /// The call ended by cancel, reset, deadline or a lost connection; `why` says which. Nothing may
  /// be written any more; destruction follows.
  virtual void OnCancelled(const CallStatus& why) {}
};

class Service {
 public:
  virtual ~Service() = default;

  /// A call has arrived: answer its handler. Runs on the call's loop; must not block. May Finish
  /// the call at once (unknown method, bad credentials) and answer a handler that does nothing, or
  /// nullptr after Finish.
  virtual std::unique_ptr<CallHandler> Start(ServerCall& call) = 0;
};

}  // namespace arka::transport

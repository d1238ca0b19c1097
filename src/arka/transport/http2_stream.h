// What an HTTP/2 stream carries: a gRPC call (grpc_stream.h) or a plain request (plain_stream.h).
//
// The base holds what is on its way out; the session pulls from it. Owned by the session and
// destroyed when nghttp2 closes the stream or the connection ends.
#pragma once

#include <cstdint>
#include <string>

#include "arka/io/fs.h"
#include "arka/transport/byte_queue.h"
#include "arka/transport/call.h"

namespace arka::transport {

class Http2Session;

class Http2Stream {
 public:
  Http2Stream(Http2Session& session, int32_t id) : session_(session), id_(id) {}
  virtual ~Http2Stream() = default;
  Http2Stream(const Http2Stream&) = delete;
  Http2Stream& operator=(const Http2Stream&) = delete;

  int32_t id() const { return id_; }

  /// A piece of the peer's DATA. The stream gives its window back when it likes
  /// (Http2Session::ConsumeStream); the session does so for the connection.
  virtual void OnData(ByteSpan bytes) = 0;
  /// The peer has sent everything.
  virtual void OnPeerEnd() = 0;
  /// The stream is gone; destruction follows. `why` says how, where it was not ended in order.
  virtual void OnClosed(const CallStatus& why) = 0;
  /// The connection took some of output(); called outside nghttp2.
  virtual void OnOutputTaken() {}
  /// Ends it from the server's side.
  virtual void End(const CallStatus& why) = 0;
  /// Outside nghttp2, after Http2Session::Revisit.
  virtual void OnRevisit() {}
  virtual MutableByteSpan read_target() { return {}; }

 protected:
  /// Starts or goes on sending after output_ or output_ended_ changed.
  void Wake();
  /// Drops what is not yet promised to a DATA frame that nghttp2 has begun.
  void DropOutput();

  Http2Session& session_;
  ByteQueue output_;
  Metadata trailers_;  // sent after output_, once output_ended_
  bool output_ended_ = false;
  bool peer_ended_ = false;

 private:
  friend class Http2Session;
  const int32_t id_;
  size_t promised_bytes_ = 0;  // at the front of output_, announced in a frame's header
  bool deferred_ = false;      // nghttp2 waits for Wake
};

}  // namespace arka::transport

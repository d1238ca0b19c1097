// HTTP/2 on one connection, over nghttp2: streams, windows, floods, GOAWAY.
//
// The connection's window is always given back at once, a stream's when its owner says so, so that
// one paused stream never holds up the others. nghttp2 sends WINDOW_UPDATEs at half the window.
// Owned by its Connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "arka/transport/connection.h"
#include "arka/transport/http2_stream.h"
#include "arka/transport/request_head.h"
#include "arka/transport/session.h"
#include "arka/transport/token_bucket.h"

namespace arka::transport {

class Http2Session final : public Session {
 public:
  explicit Http2Session(Connection& connection);
  ~Http2Session() override;

  bool Receive(ByteSpan bytes) override;
  MutableByteSpan read_target() override;
  void Produce(ByteQueue& out, size_t limit_bytes) override;
  void OnSent() override;
  bool wants_read() const override;
  bool waits_for_others() const override { return !wants_read(); }
  bool finished() const override;
  bool OnPeerClosed() override { return false; }
  void Drain() override;
  void EndCalls(const CallStatus& why) override;
  void Ping() override;
  bool can_ping() const override { return true; }
  std::optional<SteadyTime> stalled_since() const override;
  std::optional<SteadyTime> idle_since() const override { return idle_since_; }

  // For streams.

  Connection& connection() { return connection_; }
  /// Response headers; the body follows from the stream's output unless `ends`.
  void SubmitHeaders(Http2Stream& stream, const Metadata& headers, bool ends);
  /// "100 Continue", before the headers.
  void SubmitContinue(int32_t id);
  void Resume(Http2Stream& stream);
  void ConsumeStream(int32_t id, size_t bytes);
  void Reset(int32_t id, uint32_t code);
  /// Bytes of whole messages that paused streams hold; see wants_read.
  void AddHeld(size_t bytes) { held_bytes_ += bytes; }
  void ReleaseHeld(size_t bytes);
  /// Calls the stream's OnRevisit soon, outside its own and nghttp2's methods.
  void Revisit(int32_t id);
  /// Null where it is gone.
  Http2Stream* FindStream(int32_t id);

 private:
  static nghttp2_session_callbacks* MakeCallbacks();
  void OnBeginFrame(const nghttp2_frame_hd& header);
  int OnFrame(const nghttp2_frame& frame);
  void OnRequest(int32_t id);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnStreamClosed(int32_t id, uint32_t code);
  ssize_t PullData(Http2Stream& stream, size_t capacity, uint32_t* flags);
  int SendData(Http2Stream& stream, const uint8_t* frame_header, size_t size_bytes);
  void FinishDrain();
  bool WithinLimits(TokenBucket& bucket);

  Connection& connection_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Http2Stream>> streams_;
  RequestHead head_;                  // header blocks never interleave, so one is enough
  Http2Stream* receiving_ = nullptr;  // whose unpadded DATA frame is arriving
  size_t receiving_left_ = 0;         // of that frame
  int32_t last_id_ = 0;               // the highest stream that the peer has named
  size_t received_data_ = 0;          // to be given back to the connection's window
  size_t held_bytes_ = 0;
  ByteQueue* out_ = nullptr;  // while producing
  size_t out_limit_ = 0;
  std::vector<int32_t> sent_;  // streams whose output was taken since OnSent
  std::vector<int32_t> revisits_;
  TokenBucket idle_frames_;  // frames that bring nothing
  TokenBucket own_resets_;   // streams that we had to reset
  std::optional<SteadyTime> idle_since_;
  bool established_ = false;  // the peer's SETTINGS have come
  bool draining_ = false;
  bool drained_ = false;  // the last GOAWAY is submitted
  bool broken_ = false;
};

}  // namespace arka::transport

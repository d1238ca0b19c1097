// A client of hand-made HTTP/2 frames over a blocking socket, for tests of what a well-behaved
// library would never send. Every read gives up after ten seconds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include "arka/transport/call.h"

namespace arka::transport {

enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;

struct Frame {
  uint8_t type = 0;
  uint8_t flags = 0;
  int32_t id = 0;
  std::string payload;
};

/// What a stream got.
struct Answer {
  Metadata headers;
  std::string data;
  Metadata trailers;  // for a trailers-only answer: its headers
  std::optional<uint32_t> reset;
  bool ended = false;

  std::string grpc_status() const {
    return std::string(Find(trailers, "grpc-status").value_or(""));
  }
};

std::string BigEndian(uint32_t value);
/// gRPC's prefix and the message.
std::string Framed(std::string_view message);
/// A header block of literals, without compression.
std::string HeaderBlock(const Metadata& fields);
Metadata GrpcRequest(std::string_view method, const Metadata& more = {});

/// A blocking TCP connection to the port on 127.0.0.1, with TLS where `alpn` is given.
class ByteStream {
 public:
  explicit ByteStream(uint16_t port, std::string_view alpn = {}, const char* host = "127.0.0.1");
  ~ByteStream();

  /// False once the connection is broken.
  bool Send(std::string_view bytes);
  /// What is there, at most `max`; empty at the end of the stream or after ten seconds.
  std::string Receive(size_t max = 1 << 16);
  std::string ReceiveAll();
  std::string negotiated() const;
  void HalfClose();
  /// The destructor will reset the connection.
  void ResetOnClose();

 private:
  int fd_ = -1;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

class Http2Peer {
 public:
  /// Sends the preface and `settings` (an id and a value each).
  explicit Http2Peer(uint16_t port, std::string_view alpn = {},
                     const std::vector<std::pair<uint16_t, uint32_t>>& settings = {});
  ~Http2Peer();

  bool SendFrame(uint8_t type, uint8_t flags, int32_t id, std::string_view payload = {});
  bool SendRaw(std::string_view bytes) { return stream_.Send(bytes); }
  bool Request(int32_t id, const Metadata& fields, bool ends = false);
  bool Message(int32_t id, std::string_view message, bool ends = false);

  /// The next frame; nothing when the connection has ended.
  std::optional<Frame> ReadFrame();
  /// Reads, answers SETTINGS and PING, gives windows back, until stream `id` ends or is reset.
  Answer AwaitEnd(int32_t id);
  /// Reads as AwaitEnd does until a frame of `type` comes.
  std::optional<Frame> AwaitFrame(uint8_t type);
  /// Reads until the connection ends; the error code of the last GOAWAY before.
  std::optional<uint32_t> AwaitGoAwayAndClose();

  Answer& answer(int32_t id) { return answers_[id]; }
  bool gives_windows_back = true;

 private:
  std::optional<Frame> Step();
  void OnHeaders(const Frame& frame);

  ByteStream stream_;
  std::string input_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::map<int32_t, Answer> answers_;
};

}  // namespace arka::transport

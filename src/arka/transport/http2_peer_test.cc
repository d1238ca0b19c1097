#include "arka/transport/http2_peer_test.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "arka/transport/grpc_framing.h"

namespace arka::transport {
namespace {

constexpr size_t kFrameHeaderBytes = 9;

void AppendPrefixed(std::string& block, std::string_view text) {
  size_t size = text.size();
  if (size < 127) {
    block.push_back(static_cast<char>(size));
  } else {
    block.push_back(127);
    for (size -= 127; size >= 128; size >>= 7) block.push_back(static_cast<char>(size % 128 + 128));
    block.push_back(static_cast<char>(size));
  }
  block += text;
}

}  // namespace

std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string Framed(std::string_view message) {
  const auto prefix = GrpcPrefix(static_cast<uint32_t>(message.size()));
  return std::string(prefix.begin(), prefix.end()) + std::string(message);
}

std::string HeaderBlock(const Metadata& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block.push_back(0);  // literal, without indexing, new name
    AppendPrefixed(block, name);
    AppendPrefixed(block, value);
  }
  return block;
}

Metadata GrpcRequest(std::string_view method, const Metadata& more) {
  Metadata fields = {{":method", "POST"},
                     {":scheme", "http"},
                     {":path", std::string(method)},
                     {":authority", "localhost"},
                     {"content-type", "application/grpc"},
                     {"te", "trailers"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

ByteStream::ByteStream(uint16_t port, std::string_view alpn, const char* host) {
  signal(SIGPIPE, SIG_IGN);  // a test process; OpenSSL has no other way
  const bool v6 = std::string_view(host).find(':') != std::string_view::npos;
  sockaddr_in6 in6{};
  sockaddr_in in4{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = in4.sin_port = htons(port);
  in4.sin_family = AF_INET;
  if (v6) {
    inet_pton(AF_INET6, host, &in6.sin6_addr);
  } else {
    inet_pton(AF_INET, host, &in4.sin_addr);
  }
  fd_ = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval timeout{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  const int failed = v6 ? connect(fd_, reinterpret_cast<sockaddr*>(&in6), sizeof in6)
                        : connect(fd_, reinterpret_cast<sockaddr*>(&in4), sizeof in4);
  EXPECT_EQ(failed, 0) << "cannot connect to port " << port;
  if (alpn.empty()) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  ssl_.reset(SSL_new(context_.get()));
  std::string offered;
  AppendPrefixed(offered, alpn);
  SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const uint8_t*>(offered.data()),
                      static_cast<unsigned>(offered.size()));
  SSL_set_fd(ssl_.get(), fd_);
  EXPECT_EQ(SSL_connect(ssl_.get()), 1);
}

ByteStream::~ByteStream() { close(fd_); }

bool ByteStream::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_) {
      sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    } else {
      sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string ByteStream::Receive(size_t max) {
  std::string bytes(max, '\0');
  const ssize_t size = ssl_ ? SSL_read(ssl_.get(), bytes.data(), static_cast<int>(max))
                            : recv(fd_, bytes.data(), max, 0);
  bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return bytes;
}

std::string ByteStream::ReceiveAll() {
  std::string all;
  for (std::string piece = Receive(); !piece.empty(); piece = Receive()) all += piece;
  return all;
}

std::string ByteStream::negotiated() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

void ByteStream::ResetOnClose() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void ByteStream::HalfClose() { shutdown(fd_, SHUT_WR); }

Http2Peer::Http2Peer(uint16_t port, std::string_view alpn,
                     const std::vector<std::pair<uint16_t, uint32_t>>& settings)
    : stream_(port, alpn) {
  nghttp2_hd_inflate_new(&inflater_);
  std::string payload;
  for (const auto& [id, value] : settings) {
    payload.push_back(static_cast<char>(id >> 8));
    payload.push_back(static_cast<char>(id));
    payload += BigEndian(value);
  }
  SendRaw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  SendFrame(kSettings, 0, 0, payload);
}

Http2Peer::~Http2Peer() { nghttp2_hd_inflate_del(inflater_); }

bool Http2Peer::SendFrame(uint8_t type, uint8_t flags, int32_t id, std::string_view payload) {
  std::string frame = BigEndian(static_cast<uint32_t>(payload.size())).substr(1);
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  frame += BigEndian(static_cast<uint32_t>(id));
  frame += payload;
  return SendRaw(frame);
}

bool Http2Peer::Request(int32_t id, const Metadata& fields, bool ends) {
  return SendFrame(kHeaders, kEndHeaders | (ends ? kEndStream : 0), id, HeaderBlock(fields));
}

bool Http2Peer::Message(int32_t id, std::string_view message, bool ends) {
  return SendFrame(kData, ends ? kEndStream : 0, id, Framed(message));
}

std::optional<Frame> Http2Peer::ReadFrame() {
  size_t size = kFrameHeaderBytes;
  while (true) {
    if (input_.size() >= kFrameHeaderBytes) {
      const auto byte = [this](size_t i) { return static_cast<uint8_t>(input_[i]); };
      size = kFrameHeaderBytes + (byte(0) << 16 | byte(1) << 8 | byte(2));
      if (input_.size() >= size) {
        Frame frame{byte(3), byte(4),
                    (byte(5) & 127) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8),
                    input_.substr(kFrameHeaderBytes, size - kFrameHeaderBytes)};
        input_.erase(0, size);
        return frame;
      }
    }
    const std::string more = stream_.Receive();
    if (more.empty()) return std::nullopt;
    input_ += more;
  }
}

void Http2Peer::OnHeaders(const Frame& frame) {
  Metadata fields;
  const auto* in = reinterpret_cast<const uint8_t*>(frame.payload.data());
  size_t left = frame.payload.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t taken = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
    if (taken < 0) {
      ADD_FAILURE() << "the server sent a broken header block";
      return;
    }
    in += taken;
    left -= static_cast<size_t>(taken);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      fields.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                          std::string(reinterpret_cast<char*>(field.value), field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  Answer& answer = answers_[frame.id];
  if (answer.headers.empty()) {
    answer.headers = fields;
    if ((frame.flags & kEndStream) == 0) return;
  }
  answer.trailers = fields;
}

std::optional<Frame> Http2Peer::Step() {
  auto frame = ReadFrame();
  if (!frame) return frame;
  if (frame->type == kSettings && (frame->flags & kAck) == 0) SendFrame(kSettings, kAck, 0);
  if (frame->type == kPing && (frame->flags & kAck) == 0) SendFrame(kPing, kAck, 0, frame->payload);
  if (frame->type == kHeaders) OnHeaders(*frame);
  if (frame->type == kRstStream) {
    answers_[frame->id].reset = static_cast<uint8_t>(frame->payload[3]);
  }
  if (frame->type == kData) {
    answers_[frame->id].data += frame->payload;
    if (gives_windows_back && !frame->payload.empty()) {
      const std::string size = BigEndian(static_cast<uint32_t>(frame->payload.size()));
      SendFrame(kWindowUpdate, 0, 0, size);
      if ((frame->flags & kEndStream) == 0) SendFrame(kWindowUpdate, 0, frame->id, size);
    }
  }
  if (frame->type <= kHeaders && (frame->flags & kEndStream) != 0) answers_[frame->id].ended = true;
  return frame;
}

Answer Http2Peer::AwaitEnd(int32_t id) {
  while (!answers_[id].ended && !answers_[id].reset) {
    if (!Step()) break;
  }
  return answers_[id];
}

std::optional<Frame> Http2Peer::AwaitFrame(uint8_t type) {
  while (auto frame = Step()) {
    if (frame->type == type) return frame;
  }
  return std::nullopt;
}

std::optional<uint32_t> Http2Peer::AwaitGoAwayAndClose() {
  std::optional<uint32_t> code;
  while (auto frame = Step()) {
    if (frame->type == kGoAway) code = static_cast<uint8_t>(frame->payload[7]);
  }
  return code;
}

}  // namespace arka::transport

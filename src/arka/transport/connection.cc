#include "arka/transport/connection.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arka/base/check.h"
#include "arka/transport/http1_session.h"
#include "arka/transport/http2_session.h"
#include "arka/transport/protocol_sniffer.h"

namespace arka::transport {
namespace {

constexpr size_t kReadPerTurnBytes = 2 << 20;   // then the other connections have their turn
constexpr size_t kWritePerTurnBytes = 2 << 20;  //
constexpr size_t kOutBytes = 256 << 10;         // produced ahead of the socket
constexpr size_t kDirectReadBytes = 2048;       // below, a read of its own is not worth it
constexpr size_t kTailBytes = 4096;             // read behind a direct read
constexpr size_t kLingerBytes = 4 << 20;        // thrown away after the last byte was sent
constexpr std::chrono::seconds kLingerTime{1};  //
constexpr std::chrono::seconds kHttp1IdleTime{75};
constexpr std::chrono::milliseconds kReadPause{20};
constexpr int kGatherEntries = 64;

}  // namespace

Connection::Connection(ConnectionContext context, ConnectionOwner& owner,
                       std::unique_ptr<Socket> socket, std::string peer)
    : context_(context),
      owner_(owner),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      accepted_at_(context.loop.now()),
      self_(std::make_shared<Connection*>(this)),
      last_read_(accepted_at_) {
  context_.server.connections.fetch_add(1, std::memory_order_relaxed);
  if (socket_->fd() >= 0 && !context_.loop.Watch(socket_->fd(), events_, *this)) {
    Close();
    return;
  }
  ArmTimer();
}

Connection::~Connection() {
  self_.reset();
  context_.loop.Cancel(timer_);
  session_.reset();
  if (linger_until_) context_.server.lingering.fetch_sub(1, std::memory_order_relaxed);
  context_.server.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::OnReady(uint32_t events) {
  if (closed_) return;
  // Told again and again for as long as it is not read: a peer that has gone while it is not its
  // turn would keep the loop busy.
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (gone && !linger_until_ && (closing_ || (session_ && !session_->wants_read()))) {
    return Close();
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) ReadSome();
  if ((events & EPOLLOUT) != 0) MarkDirty();
}

void Connection::ReadSome() {
  if (context_.server.tls && !tls_decided_ && !StartTls()) return;
  size_t total = 0;
  while (!closed_ && total < kReadPerTurnBytes) {
    if (!linger_until_ && (closing_ || (session_ && !session_->wants_read()))) return;
    const MutableByteSpan buffer = owner_.read_buffer();
    MutableByteSpan direct = session_ && !closing_ ? session_->read_target() : MutableByteSpan{};
    if (direct.size() < kDirectReadBytes) direct = {};
    const size_t tail = direct.empty() ? buffer.size() : std::min(kTailBytes, buffer.size());
    std::array<iovec, 2> to;
    int count = 0;
    if (!direct.empty()) to[count++] = {direct.data(), direct.size()};
    to[count++] = {buffer.data(), tail};
    const IoResult result =
        linger_until_ ? socket_->Discard(to.data(), count) : socket_->Read(to.data(), count);
    if (result.outcome == IoOutcome::kWouldBlock) return;
    if (result.outcome == IoOutcome::kClosed) return OnPeerClosed();
    last_read_ = context_.loop.now();
    total += result.bytes;
    if (linger_until_) {
      lingered_bytes_ += result.bytes;
      if (lingered_bytes_ > kLingerBytes) Close();
      continue;
    }
    const size_t in_place = std::min(result.bytes, direct.size());
    if ((in_place > 0 && !Receive(direct.first(in_place))) ||
        (result.bytes > in_place && !Receive(buffer.first(result.bytes - in_place)))) {
      return BeginClosing();
    }
    if (result.bytes < direct.size() + tail && !socket_->has_buffered()) return;
  }
  if (closed_ || !socket_->has_buffered()) return;
  // epoll does not know of bytes that TLS has already taken from the kernel.
  context_.loop.Defer([self = weak()] {
    if (const auto connection = self.lock()) (*connection)->OnReady(EPOLLIN);
  });
}

bool Connection::Receive(ByteSpan bytes) {
  if (!session_) return Decide(bytes);
  const bool ok = session_->Receive(bytes);
  if (!established_ && !session_->stalled_since()) {
    established_ = true;
    ArmTimer();
  }
  MarkDirty();
  return ok;
}

bool Connection::Decide(ByteSpan bytes) {
  start_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Protocol protocol = SniffProtocol(start_);
  const std::string_view negotiated = socket_->negotiated_protocol();
  if (negotiated == "h2") protocol = Protocol::kHttp2;
  if (negotiated == "http/1.1") protocol = Protocol::kHttp1;
  certificate_ = socket_->peer_certificate();
  switch (protocol) {
    case Protocol::kUndecided:
      return true;
    case Protocol::kTls:
      RefuseTls();
      return false;
    case Protocol::kHttp2:
      session_ = std::make_unique<Http2Session>(*this);
      break;
    case Protocol::kHttp1:
      session_ = std::make_unique<Http1Session>(*this);
      break;
  }
  const std::string start = std::exchange(start_, {});
  return Receive(std::as_bytes(std::span(start)));
}

/// With a certificate, only TLS is spoken: credentials must not cross the network in the clear.
bool Connection::StartTls() {
  char first = 0;
  const ssize_t peeked = recv(socket_->fd(), &first, 1, MSG_PEEK);
  if (peeked < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (peeked <= 0) {
    Close();
    return false;
  }
  tls_decided_ = true;
  if (SniffProtocol({&first, 1}) != Protocol::kTls) {
    constexpr std::string_view kAnswer =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Connection: close\r\nContent-Length: 55\r\n\r\n"
        "This port speaks TLS: use https:// or grpc+tls:// URLs\n";
    out_.AppendCopy(kAnswer.data(), kAnswer.size());
    BeginClosing();
    return false;
  }
  const int fd = dup(socket_->fd());
  context_.loop.Unwatch(socket_->fd());
  socket_.reset();
  if (fd >= 0) socket_ = context_.server.tls->MakeSocket(fd);
  if (!socket_ || !context_.loop.Watch(socket_->fd(), events_, *this)) {
    Close();
    return false;
  }
  return true;
}

void Connection::RefuseTls() {
  // An alert record: TLS 1.2, fatal, handshake_failure.
  constexpr std::array<uint8_t, 7> kAlert = {0x15, 3, 3, 0, 2, 2, 40};
  out_.AppendCopy(kAlert.data(), kAlert.size());
}

void Connection::OnPeerClosed() {
  if (!linger_until_ && !closing_ && session_ &&
      (session_->OnPeerClosed() || (session_->finished() && !out_.empty()))) {
    // A client that has sent all its requests and still waits for the answers, or for their ends.
    closing_ = session_->finished();
    UpdateEvents();
    MarkDirty();
    return;
  }
  Close();
}

void Connection::BeginClosing() {
  closing_ = true;
  MarkDirty();
}

void Connection::MarkDirty() {
  if (dirty_ || closed_) return;
  dirty_ = true;
  owner_.OnDirty(*this);
}

void Connection::Flush() {
  dirty_ = false;
  if (closed_) return;
  size_t total = 0;
  while (true) {
    if (session_) session_->Produce(out_, kOutBytes);
    if (out_.empty()) {
      write_blocked_ = false;
      break;
    }
    std::array<iovec, kGatherEntries> from;
    const IoResult result = socket_->Write(from.data(), out_.Gather(from.data(), kGatherEntries));
    if (result.outcome == IoOutcome::kClosed) return Close();
    write_blocked_ = result.outcome == IoOutcome::kWouldBlock;
    if (write_blocked_) break;
    out_.Pop(result.bytes);
    total += result.bytes;
    if (total >= kWritePerTurnBytes) {
      context_.loop.Defer([self = weak()] {
        if (const auto connection = self.lock()) (*connection)->MarkDirty();
      });
      break;
    }
  }
  if (session_ && !closing_) session_->OnSent();
  if (out_.empty() && !linger_until_ && (closing_ || (session_ && session_->finished()))) {
    // Closing with unread bytes would make the kernel send a reset, which can overtake our last
    // words on their way to the peer. So: say that we are done, and wait a little.
    closing_ = true;
    session_.reset();
    socket_->ShutdownWrite();
    linger_until_ = context_.loop.now() + kLingerTime;
    context_.server.lingering.fetch_add(1, std::memory_order_relaxed);
    ArmTimer();
  }
  UpdateEvents();
}

void Connection::UpdateEvents() {
  if (closed_ || socket_->fd() < 0) return;
  uint32_t events = 0;
  if (linger_until_ || (!closing_ && (!session_ || session_->wants_read()))) events |= EPOLLIN;
  if (write_blocked_) events |= EPOLLOUT;
  if ((events & EPOLLIN) == 0) LookAgainSoon();
  if (events == events_) return;
  const bool reads_again = (events & ~events_ & EPOLLIN) != 0;
  events_ = events;
  context_.loop.ChangeEvents(socket_->fd(), events_, *this);
  if (reads_again && socket_->has_buffered()) {
    context_.loop.Defer([self = weak()] {
      if (const auto connection = self.lock()) (*connection)->OnReady(EPOLLIN);
    });
  }
}

/// What a session waits for before it reads on may happen on another connection.
void Connection::LookAgainSoon() {
  if (!session_ || closing_ || looks_again_ || !session_->waits_for_others()) return;
  looks_again_ = true;
  context_.loop.PostAfter(kReadPause, [self = weak()] {
    const auto connection = self.lock();
    if (!connection) return;
    (*connection)->looks_again_ = false;
    (*connection)->MarkDirty();
  });
}

void Connection::Drain() {
  if (closed_ || draining_) return;
  draining_ = true;
  if (!session_) return Close();
  session_->Drain();
  MarkDirty();
}

void Connection::Shutdown(const CallStatus& why) {
  if (closed_) return;
  if (!session_) return linger_until_ ? void() : Close();
  session_->EndCalls(why);
  Drain();
  MarkDirty();
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  self_.reset();
  if (socket_ && socket_->fd() >= 0) context_.loop.Unwatch(socket_->fd());
  context_.loop.Cancel(timer_);
  owner_.OnClosed(*this);
}

/// When OnTimer has something to look at; it looks again from there.
std::optional<SteadyTime> Connection::NextDue() const {
  if (linger_until_) return linger_until_;
  const ServerOptions& options = context_.server.options;
  if (!session_) return accepted_at_ + options.handshake_timeout;
  if (const auto since = session_->stalled_since()) return *since + options.handshake_timeout;
  const SteadyTime now = context_.loop.now();
  std::optional<SteadyTime> due;
  const auto at = [&due](SteadyTime time) { due = due ? std::min(*due, time) : time; };
  if (options.idle_timeout.count() > 0) {
    at(session_->idle_since().value_or(now) + options.idle_timeout);
  }
  if (!session_->can_ping()) {
    at(now + std::min<std::chrono::milliseconds>(options.handshake_timeout, kHttp1IdleTime));
  } else if (options.keepalive_interval.count() > 0) {
    at(pinged_at_ ? *pinged_at_ + options.keepalive_timeout
                  : last_read_ + options.keepalive_interval);
  }
  if (options.max_connection_age.count() > 0 && !draining_) {
    at(accepted_at_ + options.max_connection_age);
  }
  return due;
}

void Connection::ArmTimer() {
  context_.loop.Cancel(timer_);
  timer_ = {};
  if (const auto due = NextDue(); due && !closed_) {
    timer_ = context_.loop.Schedule(*due, [this] { OnTimer(); });
  }
}

void Connection::OnTimer() {
  const ServerOptions& options = context_.server.options;
  const SteadyTime now = context_.loop.now();
  if (linger_until_) return Close();
  if (!session_) return Close();  // silent, or still undecided: the handshake took too long
  if (const auto since = session_->stalled_since()) {
    if (now - *since >= options.handshake_timeout) return Close();
    return ArmTimer();
  }
  if (const auto since = session_->idle_since()) {
    const auto limit = options.idle_timeout.count() > 0 ? options.idle_timeout : kHttp1IdleTime;
    const bool limited = options.idle_timeout.count() > 0 || !session_->can_ping();
    if (limited && now - *since >= limit) Drain();
  }
  if (!session_->wants_read()) last_read_ = now;  // its silence is ours
  if (pinged_at_ && last_read_ >= *pinged_at_) pinged_at_.reset();
  if (options.keepalive_interval.count() > 0 && session_->can_ping()) {
    if (pinged_at_ && now - *pinged_at_ >= options.keepalive_timeout) return Close();
    if (!pinged_at_ && now - last_read_ >= options.keepalive_interval) {
      pinged_at_ = now;
      session_->Ping();
      MarkDirty();
    }
  }
  if (options.max_connection_age.count() > 0 && now - accepted_at_ >= options.max_connection_age) {
    Drain();
  }
  ArmTimer();
}

}  // namespace arka::transport

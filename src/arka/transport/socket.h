// The byte stream under a connection: a plain TCP socket, a TLS one (tls_socket.h), or bytes that a
// test feeds. Non-blocking; owned by its Connection; closed by the destructor.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <sys/uio.h>

#include "arka/transport/peer_certificate.h"

namespace arka::transport {

enum class IoOutcome {
  kDone,        // `bytes` were moved, at least one
  kWouldBlock,  // none now; wait for the socket
  kClosed       // the peer has ended the stream, or it is broken
};

struct IoResult {
  IoOutcome outcome = IoOutcome::kDone;
  size_t bytes = 0;
};

class Socket {
 public:
  virtual ~Socket() = default;

  /// Fills the entries one after the other with what has arrived.
  virtual IoResult Read(const iovec* to, int count) = 0;
  /// Reads to throw away, once nothing more is written: below TLS.
  virtual IoResult Discard(const iovec* to, int count) { return Read(to, count); }
  virtual IoResult Write(const iovec* from, int count) = 0;
  /// Tells the peer that nothing more is sent.
  virtual void ShutdownWrite() = 0;
  /// Whether bytes were read from the kernel that Read has not yet given out.
  virtual bool has_buffered() const { return false; }
  /// What TLS negotiated (ALPN): "h2", "http/1.1", or nothing.
  virtual std::string_view negotiated_protocol() const { return {}; }
  /// What TLS has verified; null where the peer has shown nothing. After the handshake.
  virtual std::shared_ptr<const PeerCertificate> peer_certificate() const { return nullptr; }
  /// What epoll watches; -1 where there is nothing to watch.
  virtual int fd() const = 0;
};

/// Takes ownership of the connected, non-blocking `fd`.
std::unique_ptr<Socket> MakePlainSocket(int fd);

}  // namespace arka::transport

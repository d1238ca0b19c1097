// The listening sockets of a server: every address of a host name, one port for all.
//
// Bind makes them, so that the port is known; Start hands accepted sockets on, from the loop's
// thread. A machine without IPv6 listens on IPv4 alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/transport/epoll_loop.h"

namespace arka::transport {

class Listener {
 public:
  /// Gets the connected, non-blocking socket, which it then owns, and the peer's address.
  using Accept = std::function<void(int fd, std::string peer)>;

  /// kInvalidRequest for a host that does not resolve, kUnavailable where an address is taken,
  /// naming it.
  static Result<std::unique_ptr<Listener>> Bind(const std::string& host, uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }

  /// Loop thread, or before it runs.
  void Start(EpollLoop& loop, Accept accept);
  /// Loop thread: closes the sockets.
  void Stop();

 private:
  class ListeningSocket;

  Listener();

  uint16_t port_ = 0;
  Accept accept_;
  std::vector<std::unique_ptr<ListeningSocket>> sockets_;
};

}  // namespace arka::transport

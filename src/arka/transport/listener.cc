#include "arka/transport/listener.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace arka::transport {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr int kPortAttempts = 20;
constexpr std::chrono::milliseconds kAcceptPause{100};  // when file descriptors run out

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::string AddressText(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    inet_ntop(AF_INET6, &in6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(in6.sin6_port));
  }
  const auto& in4 = reinterpret_cast<const sockaddr_in&>(address.storage);
  inet_ntop(AF_INET, &in4.sin_addr, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(ntohs(in4.sin_port));
}

void SetPort(Address& address, uint16_t port) {
  if (address.storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
  }
}

uint16_t PortOf(int fd) {
  Address address;
  address.size = sizeof address.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return ntohs(address.storage.ss_family == AF_INET6
                   ? reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port
                   : reinterpret_cast<sockaddr_in&>(address.storage).sin_port);
}

Status Lookup(const std::string& host, std::vector<Address>& addresses) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return Error(ErrorCode::kInvalidRequest, "listen: host '", host,
                 "' has no address: ", gai_strerror(error));
  }
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.size = info->ai_addrlen;
    bool known = false;
    for (const Address& other : addresses) known |= AddressText(other) == AddressText(address);
    if (!known) addresses.push_back(address);
  }
  freeaddrinfo(found);
  return Status::OK();
}

/// "localhost" is both loopback addresses whatever /etc/hosts says; "*" and "" are all addresses.
Result<std::vector<Address>> Resolve(const std::string& host) {
  std::vector<Address> addresses;
  if (host == "localhost") {
    ARROW_RETURN_NOT_OK(Lookup("127.0.0.1", addresses));
    ARROW_RETURN_NOT_OK(Lookup("::1", addresses));
  } else if (host.empty() || host == "*") {
    ARROW_RETURN_NOT_OK(Lookup("0.0.0.0", addresses));
    ARROW_RETURN_NOT_OK(Lookup("::", addresses));
  } else if (host.starts_with('[') && host.ends_with(']')) {
    ARROW_RETURN_NOT_OK(Lookup(host.substr(1, host.size() - 2), addresses));
  } else {
    ARROW_RETURN_NOT_OK(Lookup(host, addresses));
  }
  return addresses;
}

/// The listening socket, or minus the errno.
int BindOne(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0 &&
      listen(fd, kBacklog) == 0) {
    return fd;
  }
  const int error = errno;
  close(fd);
  return -error;
}

bool IsMissingFamily(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

/// All sockets, or none and an error.
Status BindAll(std::vector<Address> addresses, uint16_t port, std::vector<int>& fds) {
  Status failure = Status::OK();
  int missing = 0;
  for (Address& address : addresses) {
    SetPort(address, port);
    const int fd = BindOne(address);
    if (fd >= 0) {
      fds.push_back(fd);
      if (port == 0) port = PortOf(fd);
      continue;
    }
    const Status error = Error(ErrorCode::kUnavailable, "listen: cannot bind ",
                               AddressText(address), ": ", std::system_category().message(-fd));
    if (IsMissingFamily(-fd)) {
      if (++missing == static_cast<int>(addresses.size())) failure = error;
      continue;
    }
    failure = error;
    break;
  }
  if (failure.ok()) return failure;
  for (const int fd : fds) close(fd);
  fds.clear();
  return failure;
}

}  // namespace

class Listener::ListeningSocket final : public Watcher {
 public:
  ListeningSocket(Listener& listener, int fd) : listener_(listener), fd_(fd) {}
  ~ListeningSocket() override { Close(); }

  void Start(EpollLoop& loop) {
    loop_ = &loop;
    loop_->Watch(fd_, EPOLLIN, *this);
  }

  void Close() {
    if (fd_ < 0) return;
    if (loop_ != nullptr) {
      loop_->Unwatch(fd_);
      loop_->Cancel(pause_);
    }
    close(fd_);
    fd_ = -1;
  }

  void OnReady(uint32_t /*events*/) override {
    for (int i = 0; i < kAcceptsPerTurn && fd_ >= 0; ++i) {
      Address peer;
      peer.size = sizeof peer.storage;
      const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        listener_.accept_(fd, AddressText(peer));
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) Pause();
      if (errno != EINTR && errno != ECONNABORTED) return;
    }
  }

 private:
  void Pause() {
    loop_->ChangeEvents(fd_, 0, *this);
    pause_ = loop_->Schedule(loop_->now() + kAcceptPause,
                             [this] { loop_->ChangeEvents(fd_, EPOLLIN, *this); });
  }

  Listener& listener_;
  int fd_;
  EpollLoop* loop_ = nullptr;
  TimerId pause_;
};

Listener::Listener() = default;
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::Bind(const std::string& host, uint16_t port) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<Address> addresses, Resolve(host));
  std::vector<int> fds;
  Status bound;
  // A port that the kernel picked for the first address may be taken on the second.
  for (int attempt = 0; attempt < kPortAttempts && fds.empty(); ++attempt) {
    bound = BindAll(addresses, port, fds);
    if (port != 0) break;
  }
  ARROW_RETURN_NOT_OK(bound);
  std::unique_ptr<Listener> listener(new Listener());
  listener->port_ = PortOf(fds.front());
  for (const int fd : fds) {
    listener->sockets_.push_back(std::make_unique<ListeningSocket>(*listener, fd));
  }
  return listener;
}

void Listener::Start(EpollLoop& loop, Accept accept) {
  accept_ = std::move(accept);
  for (const auto& socket : sockets_) socket->Start(loop);
}

void Listener::Stop() {
  for (const auto& socket : sockets_) socket->Close();
}

}  // namespace arka::transport

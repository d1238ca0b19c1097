#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

#include "arka/transport/socket.h"

namespace arka::transport {
namespace {

class PlainSocket final : public Socket {
 public:
  explicit PlainSocket(int fd) : fd_(fd) {}
  ~PlainSocket() override { close(fd_); }

  IoResult Read(const iovec* to, int count) override {
    while (true) {
      const ssize_t moved = readv(fd_, to, count);
      if (moved == 0) return {IoOutcome::kClosed, 0};
      if (moved > 0 || errno != EINTR) return Outcome(moved);
    }
  }

  IoResult Write(const iovec* from, int count) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(from);
    message.msg_iovlen = static_cast<size_t>(count);
    while (true) {
      const ssize_t moved = sendmsg(fd_, &message, MSG_NOSIGNAL);
      if (moved >= 0 || errno != EINTR) return Outcome(moved);
    }
  }

  void ShutdownWrite() override { shutdown(fd_, SHUT_WR); }
  int fd() const override { return fd_; }

 private:
  static IoResult Outcome(ssize_t moved) {
    if (moved > 0) return {IoOutcome::kDone, static_cast<size_t>(moved)};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoOutcome::kWouldBlock, 0};
    return {IoOutcome::kClosed, 0};
  }

  const int fd_;
};

}  // namespace

std::unique_ptr<Socket> MakePlainSocket(int fd) { return std::make_unique<PlainSocket>(fd); }

}  // namespace arka::transport

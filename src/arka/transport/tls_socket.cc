#include "arka/transport/tls_socket.h"

#include <cerrno>

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

namespace arka::transport {
namespace {

class TlsSocket final : public Socket {
 public:
  TlsSocket(SSL* ssl, int fd) : ssl_(ssl), fd_(fd) {
    SSL_set_fd(ssl_, fd_);
    SSL_set_accept_state(ssl_);
  }
  ~TlsSocket() override {
    SSL_free(ssl_);
    close(fd_);
  }

  IoResult Read(const iovec* to, int count) override {
    size_t total = 0;
    for (int i = 0; i < count; ++i) {
      size_t filled = 0;
      while (filled < to[i].iov_len) {
        size_t moved = 0;
        ERR_clear_error();
        const int ok = SSL_read_ex(ssl_, static_cast<char*>(to[i].iov_base) + filled,
                                   to[i].iov_len - filled, &moved);
        if (ok != 1) {
          if (total > 0) return {IoOutcome::kDone, total};
          return {WouldBlock(ok) ? IoOutcome::kWouldBlock : IoOutcome::kClosed, 0};
        }
        filled += moved;
        total += moved;
      }
    }
    return {IoOutcome::kDone, total};
  }

  IoResult Discard(const iovec* to, int count) override {
    const ssize_t moved = readv(fd_, to, count);
    if (moved > 0) return {IoOutcome::kDone, static_cast<size_t>(moved)};
    const bool blocked = moved < 0 && (errno == EAGAIN || errno == EINTR);
    return {blocked ? IoOutcome::kWouldBlock : IoOutcome::kClosed, 0};
  }

  IoResult Write(const iovec* from, int count) override {
    size_t total = 0;
    for (int i = 0; i < count; ++i) {
      size_t sent = 0;
      while (sent < from[i].iov_len) {
        size_t moved = 0;
        ERR_clear_error();
        const int ok = SSL_write_ex(ssl_, static_cast<const char*>(from[i].iov_base) + sent,
                                    from[i].iov_len - sent, &moved);
        if (ok != 1) {
          if (total > 0) return {IoOutcome::kDone, total};
          return {WouldBlock(ok) ? IoOutcome::kWouldBlock : IoOutcome::kClosed, 0};
        }
        sent += moved;
        total += moved;
      }
    }
    return {IoOutcome::kDone, total};
  }

  void ShutdownWrite() override {
    if (!broken_ && SSL_is_init_finished(ssl_)) {
      ERR_clear_error();
      SSL_shutdown(ssl_);
    }
    shutdown(fd_, SHUT_WR);
  }

  bool has_buffered() const override { return SSL_has_pending(ssl_) == 1; }
  std::string_view negotiated_protocol() const override {
    const unsigned char* name = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::shared_ptr<const PeerCertificate> peer_certificate() const override {
    return PeerCertificateOf(ssl_);
  }
  int fd() const override { return fd_; }

 private:
  bool WouldBlock(int ok) {
    const int error = SSL_get_error(ssl_, ok);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    broken_ = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
    return false;
  }

  SSL* const ssl_;
  const int fd_;
  bool broken_ = false;  // SSL_shutdown must not be called any more
};

}  // namespace

std::unique_ptr<Socket> MakeTlsSocket(SSL* ssl, int fd) {
  if (ssl == nullptr) {
    close(fd);
    return nullptr;
  }
  return std::make_unique<TlsSocket>(ssl, fd);
}

}  // namespace arka::transport

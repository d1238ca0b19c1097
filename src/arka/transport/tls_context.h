// The server's certificate and TLS settings: TLS 1.2 or later, ALPN h2 and http/1.1.
//
// Made at start; Reload swaps the certificate for connections to come. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "arka/base/error.h"
#include "arka/transport/socket.h"

namespace arka::transport {

class TlsContext {
 public:
  /// kInvalidRequest naming the file and OpenSSL's reason where a file does not load or the key is
  /// not the certificate's.
  static Result<std::unique_ptr<TlsContext>> Make(std::string cert_path, std::string key_path);

  /// Reads the files again; on error the old certificate stays.
  Status Reload();

  /// A TLS socket over the connected `fd`, which it owns; null where OpenSSL has no memory.
  std::unique_ptr<Socket> MakeSocket(int fd);

 private:
  using ContextPtr = std::shared_ptr<SSL_CTX>;

  TlsContext(std::string cert_path, std::string key_path)
      : cert_path_(std::move(cert_path)), key_path_(std::move(key_path)) {}
  Result<ContextPtr> Load() const;

  const std::string cert_path_;
  const std::string key_path_;
  std::mutex mutex_;
  ContextPtr context_;  // guarded by mutex_
};

}  // namespace arka::transport

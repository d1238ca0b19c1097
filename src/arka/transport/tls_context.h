// The server's certificate and TLS settings: TLS 1.2 or later, ALPN h2 and http/1.1.
//
// With authorities for clients, a client may show a certificate, and one that is not of theirs ends
// the handshake. Made at start; Reload swaps the files for connections to come. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "arka/base/error.h"
#include "arka/transport/socket.h"

namespace arka::transport {

struct TlsFiles {
  std::string cert;       // PEM chain
  std::string key;        // PEM
  std::string client_ca;  // PEM; empty: clients are not asked for certificates
};

class TlsContext {
 public:
  /// kInvalidRequest naming the file and OpenSSL's reason where a file does not load or the key is
  /// not the certificate's.
  static Result<std::unique_ptr<TlsContext>> Make(TlsFiles files);

  /// Reads the files again; on error the old certificate stays.
  Status Reload();

  /// A TLS socket over the connected `fd`, which it owns; null where OpenSSL has no memory.
  std::unique_ptr<Socket> MakeSocket(int fd);

 private:
  using ContextPtr = std::shared_ptr<SSL_CTX>;

  explicit TlsContext(TlsFiles files) : files_(std::move(files)) {}
  Result<ContextPtr> Load() const;

  const TlsFiles files_;
  std::mutex mutex_;
  ContextPtr context_;  // guarded by mutex_
};

}  // namespace arka::transport

// A Socket that speaks TLS as the server, over a non-blocking file descriptor.
#pragma once

#include <memory>

#include <openssl/ssl.h>

#include "arka/transport/socket.h"

namespace arka::transport {

/// Takes ownership of both; null (and `fd` closed) where `ssl` is null.
std::unique_ptr<Socket> MakeTlsSocket(SSL* ssl, int fd);

}  // namespace arka::transport

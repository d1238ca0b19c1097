// What a client certificate that TLS has verified says: who shows it, and until when it is good.
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

#include "arka/io/clock.h"

namespace arka::transport {

struct PeerCertificate {
  /// The subject's common name; where it has none, the first URI, DNS name or e-mail address, in
  /// this order, of its alternative names. Printable.
  std::string subject;
  WallTime expires_at;
};

/// Null where the peer has shown none, none that was verified, or one whose subject is not told
/// apart: several common names, or characters that do not print.
std::shared_ptr<const PeerCertificate> PeerCertificateOf(const SSL* ssl);

}  // namespace arka::transport

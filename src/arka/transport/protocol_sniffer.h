// Tells by a connection's first bytes, which may come one by one, what the peer speaks.
#pragma once

#include <string_view>

namespace arka::transport {

enum class Protocol {
  kUndecided,  // more bytes are needed
  kTls,        // a TLS record of type handshake
  kHttp2,      // the HTTP/2 connection preface, "prior knowledge"
  kHttp1       // anything else: an HTTP/1.1 parser will say what is wrong with it
};

/// `start` is everything that has arrived; decides after at most 14 bytes.
Protocol SniffProtocol(std::string_view start);

}  // namespace arka::transport

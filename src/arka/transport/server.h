// The real transport: event loops that speak gRPC over HTTP/2 (nghttp2) and HTTP/1.1 on one port,
// in the clear and with TLS.
//
// Owned by the composition root. Make binds and listens, so port() is known; Start lets connections
// in. Shutdown order: StopAccepting (GOAWAY; running calls go on), then Stop when they are done.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/transport/call.h"
#include "arka/transport/http.h"

namespace arka::transport {

struct ServerOptions {
  std::string host = "localhost";  // a name listens on every address it has: IPv4 and IPv6
  uint16_t port = 8815;            // 0 picks one, the same for all addresses
  int loops = 0;                   // event loop threads; 0: one per two cores, at least 1
  std::string tls_cert_path;       // PEM chain; empty: in the clear
  std::string tls_key_path;
  std::string tls_client_ca_path;       // PEM; clients may show certificates of these authorities
  size_t max_message_bytes = 64 << 20;  // one gRPC message; past it RESOURCE_EXHAUSTED
  size_t message_memory_bytes = 512 << 20;  // of all messages being received, in all connections
  size_t max_http_body_bytes = 1 << 20;
  size_t max_header_bytes = 16 << 10;
  uint32_t max_streams_per_connection = 1000;
  size_t max_connections = 20000;
  std::chrono::milliseconds handshake_timeout{10'000};   // silent or half-open connections
  std::chrono::milliseconds idle_timeout{0};             // no calls for so long: GOAWAY; 0 never
  std::chrono::milliseconds keepalive_interval{60'000};  // PING a silent peer; 0 never
  std::chrono::milliseconds keepalive_timeout{20'000};
  std::chrono::milliseconds max_connection_age{0};  // then GOAWAY; 0 never
};

struct ServerCounters {
  int64_t connections = 0;
  int64_t calls = 0;          // open now
  int64_t message_bytes = 0;  // held in messages being received
};

class Server {
 public:
  /// `service`, `http` and `clock` must outlive the server. Fails where the address cannot be bound
  /// (saying which and why) or the certificate does not load.
  static Result<std::unique_ptr<Server>> Make(ServerOptions options, Service& service,
                                              HttpHandler& http, Clock& clock);
  virtual ~Server() = default;

  virtual Status Start() = 0;
  virtual uint16_t port() const = 0;
  /// "host:port" as a client can dial it.
  virtual std::string address() const = 0;
  /// Reads certificate, key and authorities again, for connections to come; on error what was
  /// read before stays. Any thread.
  virtual Status ReloadTls() = 0;
  virtual std::vector<EventLoop*> loops() = 0;
  virtual ServerCounters counters() const = 0;

  /// No new connections or calls; every connection is told by GOAWAY. Running calls go on.
  virtual void StopAccepting() = 0;
  /// Ends what still runs (UNAVAILABLE), flushes for at most `grace`, joins the threads.
  /// Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) = 0;
};

}  // namespace arka::transport

// What every connection of a loop shares. Made by the Shard; outlives its connections.
#pragma once

#include <atomic>
#include <cstdint>

#include "arka/io/clock.h"
#include "arka/transport/call.h"
#include "arka/transport/epoll_loop.h"
#include "arka/transport/http.h"
#include "arka/transport/message_budget.h"
#include "arka/transport/server.h"
#include "arka/transport/tls_context.h"

namespace arka::transport {

/// What all loops of a server share. Thread-safe.
struct ServerState {
  ServerState(const ServerOptions& server_options, Service& grpc_service, HttpHandler& http_handler,
              Clock& server_clock)
      : options(server_options),
        service(grpc_service),
        http(http_handler),
        clock(server_clock),
        budget(server_options.message_memory_bytes) {}

  const ServerOptions options;
  Service& service;
  HttpHandler& http;
  Clock& clock;
  MessageBudget budget;
  std::unique_ptr<TlsContext> tls;  // null: in the clear
  std::atomic<int64_t> connections{0};
  std::atomic<int64_t> lingering{0};  // of them, those that only wait for the peer to close
  std::atomic<int64_t> calls{0};
  std::atomic<bool> accepting{true};
};

struct ConnectionContext {
  ServerState& server;
  EpollLoop& loop;
};

}  // namespace arka::transport

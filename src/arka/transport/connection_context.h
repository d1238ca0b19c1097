// What every connection of a loop shares. Made by the Shard; outlives its connections.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

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
        shared_budget(std::make_shared<MessageBudget>(server_options.message_memory_bytes)),
        budget(*shared_budget) {}

  const ServerOptions options;
  Service& service;
  HttpHandler& http;
  Clock& clock;
  const std::shared_ptr<MessageBudget> shared_budget;  // request bodies may outlive the server
  MessageBudget& budget;
  std::unique_ptr<TlsContext> tls;  // null: in the clear
  std::atomic<int64_t> connections{0};
  std::atomic<int64_t> lingering{0};  // of them, those that only wait for the peer to close
  std::atomic<int64_t> calls{0};
  std::atomic<bool> accepting{true};
};

/// One of `ServerState::calls` for as long as it lives.
class OpenCall {
 public:
  explicit OpenCall(ServerState& server) : server_(server) {
    server_.calls.fetch_add(1, std::memory_order_relaxed);
  }
  ~OpenCall() { server_.calls.fetch_sub(1, std::memory_order_relaxed); }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;

 private:
  ServerState& server_;
};

struct ConnectionContext {
  ServerState& server;
  EpollLoop& loop;
};

}  // namespace arka::transport

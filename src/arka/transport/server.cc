#include "arka/transport/server.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include <unistd.h>

#include "arka/transport/connection_context.h"
#include "arka/transport/listener.h"
#include "arka/transport/refusal.h"
#include "arka/transport/shard.h"
#include "arka/transport/tls_context.h"

namespace arka::transport {
namespace {

int LoopCount(const ServerOptions& options) {
  if (options.loops > 0) return options.loops;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

class EpollServer final : public Server {
 public:
  EpollServer(const ServerOptions& options, Service& service, HttpHandler& http, Clock& clock)
      : state_(options, service, http, clock) {
    for (int i = 0; i < LoopCount(options); ++i) {
      shards_.push_back(std::make_unique<Shard>(state_));
    }
  }
  ~EpollServer() override { Stop(std::chrono::milliseconds(0)); }

  Status Prepare() {
    const ServerOptions& options = state_.options;
    if (options.tls_cert_path.empty() != options.tls_key_path.empty()) {
      return Error(ErrorCode::kInvalidRequest,
                   "tls: certificate and key must be given together, got only the ",
                   options.tls_cert_path.empty() ? "key" : "certificate");
    }
    if (!options.tls_cert_path.empty()) {
      ARROW_ASSIGN_OR_RAISE(state_.tls,
                            TlsContext::Make({options.tls_cert_path, options.tls_key_path,
                                              options.tls_client_ca_path}));
    }
    ARROW_ASSIGN_OR_RAISE(listener_, Listener::Bind(options.host, options.port));
    return Status::OK();
  }

  Status Start() override {
    if (started_) return Error(ErrorCode::kInternal, "server: started twice");
    started_ = true;
    listener_->Start(shards_.front()->loop(),
                     [this](int fd, std::string peer) { Place(fd, std::move(peer)); });
    for (const auto& shard : shards_) shard->Start();
    return Status::OK();
  }

  uint16_t port() const override { return listener_->port(); }

  std::string address() const override {
    const std::string& host = state_.options.host;
    const bool any = host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
    const bool bare_v6 = host.find(':') != std::string::npos && !host.starts_with('[');
    const std::string name = any ? "localhost" : bare_v6 ? "[" + host + "]" : host;
    return name + ":" + std::to_string(port());
  }

  Status ReloadTls() override { return state_.tls ? state_.tls->Reload() : Status::OK(); }

  std::vector<EventLoop*> loops() override {
    std::vector<EventLoop*> loops;
    for (const auto& shard : shards_) loops.push_back(&shard->loop());
    return loops;
  }

  ServerCounters counters() const override {
    return {state_.connections.load(), state_.calls.load(),
            static_cast<int64_t>(state_.budget.used())};
  }

  void StopAccepting() override {
    if (!state_.accepting.exchange(false) || !started_) return;
    shards_.front()->loop().Post([this] { listener_->Stop(); });
    for (const auto& shard : shards_) {
      shard->loop().Post([&shard = *shard] { shard.Drain(); });
    }
  }

  void Stop(std::chrono::milliseconds grace) override {
    if (stopped_) return;
    stopped_ = true;
    StopAccepting();
    if (started_) {
      const CallStatus why =
          Refusal(GrpcCode::kUnavailable, "the server is shutting down", /*retryable=*/true);
      for (const auto& shard : shards_) {
        shard->loop().Post([&shard = *shard, why] { shard.Shutdown(why); });
      }
      WaitForConnections(grace);
    }
    for (const auto& shard : shards_) shard->Stop();
    listener_.reset();
  }

 private:
  /// On the first shard's loop.
  void Place(int fd, std::string peer) {
    if (!state_.accepting.load() ||
        state_.connections.load() >= static_cast<int64_t>(state_.options.max_connections)) {
      close(fd);
      return;
    }
    Shard& shard = *shards_[next_shard_++ % shards_.size()];
    auto adopt = [&shard, holder = std::make_shared<std::unique_ptr<Socket>>(MakePlainSocket(fd)),
                  peer = std::move(peer)]() mutable {
      shard.Adopt(std::move(*holder), std::move(peer));
    };
    shard.loop().Post(std::move(adopt));
  }

  void WaitForConnections(std::chrono::milliseconds grace) {
    const auto until = std::chrono::steady_clock::now() + grace;
    while (state_.connections.load() > state_.lingering.load() &&
           std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  ServerState state_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Shard>> shards_;
  size_t next_shard_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::Make(ServerOptions options, Service& service,
                                             HttpHandler& http, Clock& clock) {
  auto server = std::make_unique<EpollServer>(options, service, http, clock);
  ARROW_RETURN_NOT_OK(server->Prepare());
  return server;
}

}  // namespace arka::transport

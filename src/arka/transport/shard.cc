#include "arka/transport/shard.h"

#include <utility>

#include <signal.h>

namespace arka::transport {

Shard::Shard(ServerState& server)
    : server_(server), loop_(server.clock), read_buffer_(new std::byte[kReadBufferBytes]) {
  loop_.SetFlushHook([this] { Flush(); });
}

Shard::~Shard() { Stop(); }

void Shard::Start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "arka-loop");
    // OpenSSL writes to sockets with write(2), which raises SIGPIPE when the peer has gone.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    loop_.Run();
  });
}

Connection* Shard::Adopt(std::unique_ptr<Socket> socket, std::string peer) {
  auto owned = std::make_unique<Connection>(ConnectionContext{server_, loop_}, *this,
                                            std::move(socket), std::move(peer));
  Connection* connection = owned.get();
  connections_.emplace(connection, std::move(owned));
  return connection;
}

std::vector<Connection*> Shard::Open() const {
  std::vector<Connection*> open;
  open.reserve(connections_.size());
  for (const auto& [connection, owned] : connections_) open.push_back(connection);
  return open;
}

void Shard::Drain() {
  for (Connection* connection : Open()) connection->Drain();
}

void Shard::Shutdown(const CallStatus& why) {
  for (Connection* connection : Open()) connection->Shutdown(why);
}

void Shard::Flush() {
  // Flushing may mark others dirty or closed.
  while (!dirty_.empty()) {
    for (Connection* connection : std::exchange(dirty_, {})) connection->Flush();
  }
  for (Connection* connection : std::exchange(closed_, {})) connections_.erase(connection);
}

void Shard::Stop() {
  if (thread_.joinable()) {
    loop_.Post([this] { loop_.Quit(); });
    thread_.join();
  }
  for (Connection* connection : Open()) connection->Close();
  dirty_.clear();
  closed_.clear();
  connections_.clear();
  loop_.Close();
}

}  // namespace arka::transport

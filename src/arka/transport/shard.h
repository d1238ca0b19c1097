// One event loop thread with its connections.
//
// Owned by the server. Adopt may be called from any thread; the rest of a connection's life is on
// the loop. Connections are destroyed at the end of an iteration, never inside a callback.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "arka/transport/connection.h"
#include "arka/transport/epoll_loop.h"

namespace arka::transport {

class Shard final : public ConnectionOwner {
 public:
  explicit Shard(ServerState& server);
  ~Shard() override;

  void Start();
  /// Loop thread (or before Start): takes a connection over.
  Connection* Adopt(std::unique_ptr<Socket> socket, std::string peer);
  /// Loop thread.
  void Drain();
  void Shutdown(const CallStatus& why);
  bool idle() const { return connections_.empty(); }

  /// Stops the thread, drops what is left.
  void Stop();

  EpollLoop& loop() { return loop_; }

  void OnDirty(Connection& connection) override { dirty_.push_back(&connection); }
  void OnClosed(Connection& connection) override { closed_.push_back(&connection); }
  MutableByteSpan read_buffer() override { return {read_buffer_.get(), kReadBufferBytes}; }

 private:
  static constexpr size_t kReadBufferBytes = 256 << 10;

  void Flush();
  std::vector<Connection*> Open() const;

  ServerState& server_;
  EpollLoop loop_;
  const std::unique_ptr<std::byte[]> read_buffer_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;
  std::vector<Connection*> closed_;
  std::thread thread_;
};

}  // namespace arka::transport

// One accepted connection: finds out what the peer speaks, moves bytes between socket and session,
// and closes on time-outs, errors and when all is said.
//
// Owned by its Shard and used on the loop's thread only. Never destroyed inside one of its own
// methods: it reports itself closed, and the shard destroys it at the end of the iteration.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "arka/transport/byte_queue.h"
#include "arka/transport/connection_context.h"
#include "arka/transport/epoll_loop.h"
#include "arka/transport/session.h"
#include "arka/transport/socket.h"

namespace arka::transport {

class Connection;

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  /// The connection has something to send: call its Flush at the end of the iteration.
  virtual void OnDirty(Connection& connection) = 0;
  /// To be destroyed at the end of the iteration.
  virtual void OnClosed(Connection& connection) = 0;
  /// A buffer to read into, shared by all connections of the loop.
  virtual MutableByteSpan read_buffer() = 0;
};

class Connection final : public Watcher {
 public:
  Connection(ConnectionContext context, ConnectionOwner& owner, std::unique_ptr<Socket> socket,
             std::string peer);
  ~Connection() override;

  void OnReady(uint32_t events) override;
  void Flush();
  void MarkDirty();

  void Drain();
  /// Ends all calls with `why`, then the connection once that is sent.
  void Shutdown(const CallStatus& why);
  void Close();
  bool closed() const { return closed_; }

  ConnectionContext& context() { return context_; }
  const std::string& peer() const { return peer_; }
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const { return certificate_; }
  SteadyTime accepted_at() const { return accepted_at_; }
  Session* session() { return session_.get(); }
  /// Empty once the connection is closed; to be locked on the loop's thread.
  std::weak_ptr<Connection*> weak() const { return self_; }

 private:
  void ReadSome();
  bool Receive(ByteSpan bytes);
  bool Decide(ByteSpan bytes);
  bool StartTls();
  void RefuseTls();
  void OnPeerClosed();
  void BeginClosing();
  void OnTimer();
  void ArmTimer();
  std::optional<SteadyTime> NextDue() const;
  void UpdateEvents();
  void LookAgainSoon();

  ConnectionContext context_;
  ConnectionOwner& owner_;
  std::unique_ptr<Socket> socket_;
  const std::string peer_;
  std::shared_ptr<const PeerCertificate> certificate_;  // once the session begins
  const SteadyTime accepted_at_;
  std::shared_ptr<Connection*> self_;
  std::unique_ptr<Session> session_;
  std::string start_;  // while the protocol is undecided
  ByteQueue out_;
  TimerId timer_;
  SteadyTime last_read_;
  std::optional<SteadyTime> pinged_at_;
  std::optional<SteadyTime> linger_until_;  // all is sent; waiting for the peer to close
  size_t lingered_bytes_ = 0;
  uint32_t events_ = EPOLLIN;
  bool tls_decided_ = false;
  bool established_ = false;  // past handshake and first request
  bool looks_again_ = false;  // a check whether reading goes on is under way
  bool dirty_ = false;
  bool write_blocked_ = false;
  bool closing_ = false;  // nothing more is read; close when out_ is sent
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace arka::transport

// One protocol on one connection: HTTP/2 (http2_session.h) or HTTP/1.1 (http1_session.h).
//
// A session knows no socket: its Connection feeds it what arrived and takes what is to be sent.
// Owned by the Connection; everything on the loop's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/transport/byte_queue.h"
#include "arka/transport/call.h"

namespace arka::transport {

class Session {
 public:
  virtual ~Session() = default;

  /// Handles what the peer sent. False: the peer broke the protocol or a limit; what Produce still
  /// gives is sent, then the connection is closed.
  virtual bool Receive(ByteSpan bytes) = 0;

  /// Where the next bytes may be put so that they need no copy; empty where nowhere special.
  /// Receive must then be given exactly those bytes, in place.
  virtual MutableByteSpan read_target() { return {}; }

  /// Appends what may be sent to `out` until that holds about `limit_bytes`.
  virtual void Produce(ByteQueue& out, size_t limit_bytes) = 0;

  /// After the socket took what Produce gave: tells handlers that they may write on.
  virtual void OnSent() {}

  /// Whether more may be read from the socket now.
  virtual bool wants_read() const = 0;
  /// Whether that may change by what happens on other connections.
  virtual bool waits_for_others() const { return false; }
  /// Whether the connection can be closed once everything produced was sent.
  virtual bool finished() const = 0;

  /// The peer sends nothing more. False: nothing is left to answer either.
  virtual bool OnPeerClosed() = 0;
  /// Takes no new calls, tells the peer so, lets running calls end.
  virtual void Drain() = 0;
  /// Ends all calls with `why`.
  virtual void EndCalls(const CallStatus& why) = 0;
  /// Asks the peer for a sign of life, where the protocol can.
  virtual void Ping() {}
  virtual bool can_ping() const { return false; }

  /// Since when the peer has owed the rest of a handshake or request; nothing where it owes none.
  virtual std::optional<SteadyTime> stalled_since() const = 0;
  /// Since when no call has been open; nothing while one is.
  virtual std::optional<SteadyTime> idle_since() const = 0;
};

}  // namespace arka::transport

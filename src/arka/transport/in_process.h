// Runs a Service without sockets: what the services' own tests use.
//
// InProcessTransport holds the server's side of the calls and their loop; InProcessCall is a
// client. Driven by hand (RunUntilIdle: one thread, nothing happens meanwhile) or by a thread
// (StartThread). Deadlines follow the Clock.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <arrow/buffer.h>

#include "arka/io/clock.h"
#include "arka/transport/call.h"
#include "arka/transport/event_loop.h"

namespace arka::transport {

/// The client's side of one call. Thread-safe; destroying it cancels the call.
class InProcessCall {
 public:
  virtual ~InProcessCall() = default;

  /// One message; copied, so that it reaches the handler aligned as from the network.
  virtual void Send(std::string_view message) = 0;
  virtual void HalfClose() = 0;
  virtual void Cancel() = 0;

  /// While held, nothing that the server writes is taken: its queued_bytes() grow.
  virtual void HoldReading() = 0;
  virtual void ReadOn() = 0;

  /// What has come so far; never blocks.
  virtual std::optional<Metadata> headers() const = 0;
  virtual std::shared_ptr<arrow::Buffer> TakeMessage() = 0;  // null where none is there
  /// Once the call is over, for whatever reason; messages may still wait to be taken.
  virtual std::optional<CallStatus> status() const = 0;

  /// For threads: block until there is something, for at most `timeout` of real time.
  virtual std::shared_ptr<arrow::Buffer> WaitForMessage(std::chrono::milliseconds timeout) = 0;
  virtual std::optional<CallStatus> WaitForStatus(std::chrono::milliseconds timeout) = 0;
};

class InProcessTransport {
 public:
  /// `service` and `clock` must outlive the transport and its calls.
  static std::unique_ptr<InProcessTransport> Make(Service& service, Clock& clock);
  /// Cancels what still runs. Calls that are left see CANCELLED.
  virtual ~InProcessTransport() = default;

  /// Opens a call; its handler is made on the loop. The deadline passes `timeout` from now.
  virtual std::unique_ptr<InProcessCall> Open(
      std::string method, Metadata metadata = {},
      std::optional<std::chrono::milliseconds> timeout = {}) = 0;

  /// By hand: runs all that is to be done now, deferred tasks and due timers included.
  virtual void RunUntilIdle() = 0;
  virtual void StartThread() = 0;
  virtual EventLoop& loop() = 0;
};

}  // namespace arka::transport

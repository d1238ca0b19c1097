// SIGTERM and SIGINT, which end the server, and SIGHUP, at which it reads files again: told to
// whoever waits, never to a handler.
//
// They are blocked in every thread, and one thread at a time waits for them: this one while the
// server starts, the main thread while it runs, this one again while it stops. For the main thread.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace arka::cli {

/// Blocks the signals in this thread and all that it starts from now on.
void BlockStopSignals();

/// Waits for one that ends the server, and logs it. `on_hangup` is called at every SIGHUP until
/// then.
void WaitForStopSignal(const std::function<void()>& on_hangup);

/// From now on one of them ends the process as a crash would.
void LetStopSignalsKill();

/// While it lives, one of them ends the process at once with exit code 0: a start has acknowledged
/// nothing, may be killed anywhere, and may hang in a call of a store that is away.
class StopWhileStarting {
 public:
  StopWhileStarting();
  /// A signal that came too late is left to WaitForStopSignal.
  ~StopWhileStarting();

 private:
  std::atomic<bool> started_{false};
  std::thread thread_;
};

}  // namespace arka::cli

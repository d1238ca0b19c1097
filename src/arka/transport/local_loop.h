// An event loop without sockets, for InProcessTransport: driven by hand or by a thread of its own.
//
// Waits on the Clock seam, so with a SimulatedClock timers fire when a test moves the time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "arka/io/clock.h"
#include "arka/transport/event_loop.h"
#include "arka/transport/timer_queue.h"

namespace arka::transport {

class LocalLoop final : public EventLoop {
 public:
  /// The constructing thread counts as the loop's until another one runs it.
  explicit LocalLoop(Clock& clock);
  ~LocalLoop() override;

  void Post(Task task) override;
  void PostAfter(std::chrono::milliseconds delay, Task task) override;
  void Defer(Task task) override;
  bool InLoop() const override;

  /// Runs everything that is posted, deferred or due, and what that brings, on this thread.
  void RunUntilIdle();
  /// From now on a thread runs the loop; RunUntilIdle must not be called any more.
  void StartThread();
  /// Ends the thread and drops all tasks.
  void Stop();

 private:
  bool RunIteration();
  void Run();

  Clock& clock_;
  std::atomic<std::thread::id> thread_id_;
  std::vector<Task> deferred_;  // loop only
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> posted_;  // guarded by mutex_, as the rest
  TimerQueue timers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace arka::transport

// One thread that owns connections and calls: everything a call does happens on its loop.
//
// Handlers never block it. Post and PostAfter are thread-safe; Defer and InLoop are for the loop's
// own thread. Tasks run in the order in which they were given.
#pragma once

#include <chrono>
#include <functional>

namespace arka::transport {

class EventLoop {
 public:
  using Task = std::function<void()>;

  virtual ~EventLoop() = default;

  /// Runs `task` on the loop soon. After the loop has stopped, the task is destroyed unrun.
  virtual void Post(Task task) = 0;

  /// Runs `task` on the loop once `delay` has passed.
  virtual void PostAfter(std::chrono::milliseconds delay, Task task) = 0;

  /// Loop thread only: runs `task` at the end of the current iteration, after everything that the
  /// sockets had ready was handled and before anything is sent. This is where acks are gathered.
  virtual void Defer(Task task) = 0;

  /// Whether the calling thread is the loop's.
  virtual bool InLoop() const = 0;
};

}  // namespace arka::transport

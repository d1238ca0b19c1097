// The event loop of the real transport: epoll, an eventfd for posted tasks, a timer queue.
//
// One iteration: every socket that is ready is read (handlers run), then posted tasks, timers that
// are due and deferred tasks, then the flush hook sends what all of them produced. So whatever one
// iteration brings is answered with few system calls. Owned by a Shard; one thread runs it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <sys/epoll.h>

#include "arka/io/clock.h"
#include "arka/transport/event_loop.h"
#include "arka/transport/posted_tasks.h"
#include "arka/transport/timer_queue.h"

namespace arka::transport {

/// Told when its file descriptor is ready.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// `events` as epoll has them. The watcher must not be destroyed before the flush hook runs.
  virtual void OnReady(uint32_t events) = 0;
};

class EpollLoop final : public EventLoop {
 public:
  /// `clock` must outlive the loop. Waiting follows the real time: after moving a simulated clock,
  /// wake the loop with a Post.
  explicit EpollLoop(Clock& clock);
  ~EpollLoop() override;

  void Post(Task task) override;
  void PostAfter(std::chrono::milliseconds delay, Task task) override;
  void Defer(Task task) override;
  bool InLoop() const override;

  // The rest is for the loop's own thread.

  /// False where the kernel refuses (out of watches or memory).
  bool Watch(int fd, uint32_t events, Watcher& watcher);
  void ChangeEvents(int fd, uint32_t events, Watcher& watcher);
  void Unwatch(int fd);

  TimerId Schedule(SteadyTime due, Task task) { return timers_.Add(due, std::move(task)); }
  void Cancel(TimerId id) { timers_.Cancel(id); }

  /// Called at the end of every iteration.
  void SetFlushHook(Task hook) { flush_hook_ = std::move(hook); }

  /// The time at which this iteration began to handle events.
  SteadyTime now() const { return now_; }

  /// One iteration, which waits at most `max_wait` for something to do. The caller's thread counts
  /// as the loop's from now on.
  void RunOnce(std::chrono::milliseconds max_wait);
  /// Iterates until Quit.
  void Run();
  void Quit() { quit_ = true; }

  /// Shared, so that answers may come after the loop is gone.
  const std::shared_ptr<PostedTasks>& tasks() const { return tasks_; }
  /// Drops all tasks and timers and takes no more.
  void Close();

 private:
  int WaitMillis(std::chrono::milliseconds max_wait) const;

  Clock& clock_;
  const int epoll_fd_;
  const std::shared_ptr<PostedTasks> tasks_;
  std::atomic<std::thread::id> thread_{};
  TimerQueue timers_;
  std::vector<Task> deferred_;
  Task flush_hook_;
  SteadyTime now_;
  bool quit_ = false;
};

}  // namespace arka::transport

// Tasks that other threads give to a loop, with the eventfd that wakes it.
//
// Shared between the loop and whoever may post after it is gone: a closed queue destroys what it
// is given. Thread-safe.
#pragma once

#include <mutex>
#include <vector>

#include "arka/transport/event_loop.h"

namespace arka::transport {

class PostedTasks {
 public:
  PostedTasks();
  ~PostedTasks();
  PostedTasks(const PostedTasks&) = delete;
  PostedTasks& operator=(const PostedTasks&) = delete;

  /// Adds `task`; `wake` makes wake_fd() readable, needless on the loop's own thread.
  void Push(EventLoop::Task task, bool wake);
  /// All tasks, in order; wake_fd() is no longer readable.
  std::vector<EventLoop::Task> TakeAll();
  bool empty() const;
  void Close();

  int wake_fd() const { return wake_fd_; }

 private:
  const int wake_fd_;
  mutable std::mutex mutex_;
  std::vector<EventLoop::Task> tasks_;  // guarded by mutex_, as the rest
  bool woken_ = false;
  bool closed_ = false;
};

}  // namespace arka::transport

// A few threads that run what must not block an event loop: catalog calls, long validations.
//
// Post is thread-safe. Tasks start in the order in which they were given; with one thread they also
// end in it. The destructor runs what is queued and joins.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace arka {

class TaskQueue {
 public:
  /// `name`, of at most 15 characters, is what the system shows of the threads. With no threads,
  /// Post runs the task itself: for simulations.
  TaskQueue(const char* name, int threads);
  ~TaskQueue();

  void Post(std::function<void()> task);

 private:
  void Run(const char* name);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  bool stopping_ = false;                    // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace arka

#include "arka/transport/local_loop.h"

#include <utility>

namespace arka::transport {

LocalLoop::LocalLoop(Clock& clock) : clock_(clock), thread_id_(std::this_thread::get_id()) {}

LocalLoop::~LocalLoop() { Stop(); }

void LocalLoop::Post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    posted_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void LocalLoop::PostAfter(std::chrono::milliseconds delay, Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    // When it is due, it joins the posted ones; so it runs outside the lock.
    timers_.Add(clock_.Now() + delay,
                [this, task = std::move(task)] { posted_.push_back(std::move(task)); });
  }
  changed_.notify_all();
}

void LocalLoop::Defer(Task task) { deferred_.push_back(std::move(task)); }

bool LocalLoop::InLoop() const { return thread_id_.load() == std::this_thread::get_id(); }

bool LocalLoop::RunIteration() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    timers_.RunDue(clock_.Now());
    tasks.swap(posted_);
  }
  const bool busy = !tasks.empty() || !deferred_.empty();
  for (const Task& task : tasks) task();
  for (const Task& task : std::exchange(deferred_, {})) task();
  return busy;
}

void LocalLoop::RunUntilIdle() {
  thread_id_ = std::this_thread::get_id();
  while (RunIteration()) {
  }
}

void LocalLoop::StartThread() {
  thread_ = std::thread([this] { Run(); });
}

void LocalLoop::Run() {
  thread_id_ = std::this_thread::get_id();
  while (true) {
    RunUntilIdle();
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    const SteadyTime due = timers_.next_due().value_or(SteadyTime::max());
    clock_.WaitUntil(lock, changed_, due, [this, due] {
      return stopping_ || !posted_.empty() || timers_.next_due().value_or(due) < due;
    });
  }
}

void LocalLoop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::vector<Task> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  dropped.swap(posted_);
  timers_.Clear();
  deferred_.clear();
}

}  // namespace arka::transport

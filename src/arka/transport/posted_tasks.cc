#include "arka/transport/posted_tasks.h"

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "arka/base/check.h"

namespace arka::transport {

PostedTasks::PostedTasks() : wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  ARKA_CHECK(wake_fd_ >= 0);
}

PostedTasks::~PostedTasks() { close(wake_fd_); }

void PostedTasks::Push(EventLoop::Task task, bool wake) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  tasks_.push_back(std::move(task));
  if (!wake || woken_) return;
  woken_ = true;
  const uint64_t one = 1;
  ARKA_CHECK(write(wake_fd_, &one, sizeof one) == sizeof one);
}

std::vector<EventLoop::Task> PostedTasks::TakeAll() {
  const std::lock_guard lock(mutex_);
  if (woken_) {
    uint64_t count = 0;
    ARKA_CHECK(read(wake_fd_, &count, sizeof count) == sizeof count);
    woken_ = false;
  }
  return std::exchange(tasks_, {});
}

bool PostedTasks::empty() const {
  const std::lock_guard lock(mutex_);
  return tasks_.empty();
}

void PostedTasks::Close() {
  std::vector<EventLoop::Task> dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(tasks_);
}

}  // namespace arka::transport

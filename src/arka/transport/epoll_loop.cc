#include "arka/transport/epoll_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <unistd.h>

#include "arka/base/check.h"

namespace arka::transport {

EpollLoop::EpollLoop(Clock& clock)
    : clock_(clock),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      tasks_(std::make_shared<PostedTasks>()),
      now_(clock.Now()) {
  ARKA_CHECK(epoll_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the wake-up
  ARKA_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, tasks_->wake_fd(), &event) == 0);
}

EpollLoop::~EpollLoop() {
  Close();
  close(epoll_fd_);
}

void EpollLoop::Close() {
  tasks_->Close();
  timers_.Clear();
  deferred_.clear();
}

void EpollLoop::Post(Task task) { tasks_->Push(std::move(task), !InLoop()); }

void EpollLoop::PostAfter(std::chrono::milliseconds delay, Task task) {
  const SteadyTime due = clock_.Now() + delay;
  if (InLoop()) {
    Schedule(due, std::move(task));
    return;
  }
  Post([this, due, task = std::move(task)]() mutable { Schedule(due, std::move(task)); });
}

void EpollLoop::Defer(Task task) { deferred_.push_back(std::move(task)); }

bool EpollLoop::InLoop() const {
  return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

bool EpollLoop::Watch(int fd, uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void EpollLoop::ChangeEvents(int fd, uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  ARKA_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void EpollLoop::Unwatch(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

int EpollLoop::WaitMillis(std::chrono::milliseconds max_wait) const {
  if (!deferred_.empty() || !tasks_->empty()) return 0;
  auto wait = std::clamp<std::chrono::milliseconds>(max_wait, std::chrono::milliseconds(0),
                                                    std::chrono::hours(1));
  if (const auto due = timers_.next_due()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - clock_.Now());
    wait = std::clamp(left, std::chrono::milliseconds(0), wait);
  }
  return static_cast<int>(wait.count());
}

void EpollLoop::RunOnce(std::chrono::milliseconds max_wait) {
  thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  std::array<epoll_event, 128> events;
  const int count = epoll_wait(epoll_fd_, events.data(), events.size(), WaitMillis(max_wait));
  ARKA_CHECK(count >= 0 || errno == EINTR);
  now_ = clock_.Now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.ptr != nullptr) static_cast<Watcher*>(event.data.ptr)->OnReady(event.events);
  }
  for (const Task& task : tasks_->TakeAll()) task();
  timers_.RunDue(now_);
  for (const Task& task : std::exchange(deferred_, {})) task();
  if (flush_hook_) flush_hook_();
}

void EpollLoop::Run() {
  while (!quit_) RunOnce(std::chrono::hours(1));
}

}  // namespace arka::transport

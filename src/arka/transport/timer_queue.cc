#include "arka/transport/timer_queue.h"

namespace arka::transport {

TimerId TimerQueue::Add(SteadyTime due, EventLoop::Task task) {
  const TimerId id{due, ++last_number_};
  timers_.emplace(id, std::move(task));
  return id;
}

std::optional<SteadyTime> TimerQueue::next_due() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.due;
}

void TimerQueue::RunDue(SteadyTime now) {
  const uint64_t newest = last_number_;
  auto it = timers_.begin();
  while (it != timers_.end() && it->first.due <= now) {
    if (it->first.number > newest) {
      ++it;
      continue;
    }
    const EventLoop::Task task = std::move(timers_.extract(it).mapped());
    task();
    it = timers_.begin();  // the task may have added and cancelled timers
  }
}

}  // namespace arka::transport

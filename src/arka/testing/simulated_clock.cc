#include "arka/testing/simulated_clock.h"

#include <algorithm>
#include <thread>
#include <unordered_set>

namespace arka {
namespace {

using std::chrono::microseconds;

constexpr std::chrono::hours kStart{1};
constexpr std::chrono::seconds kWallStart{1'767'225'600};  // 2026-01-01T00:00:00Z

}  // namespace

SimulatedClock::SimulatedClock() : now_(kStart), wall_offset_(kWallStart - kStart) {}

SteadyTime SimulatedClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

WallTime SimulatedClock::WallNow() const {
  const std::lock_guard lock(mutex_);
  return WallTime(std::chrono::duration_cast<microseconds>(now_.time_since_epoch()) + wall_offset_);
}

bool SimulatedClock::WaitUntil(std::unique_lock<std::mutex>& lock,
                               std::condition_variable& condition, SteadyTime deadline,
                               const std::function<bool()>& done) {
  if (done()) return true;
  std::list<Waiter>::iterator self;
  {
    const std::lock_guard own(mutex_);
    self = waiters_.insert(waiters_.end(), {lock.mutex(), &condition, deadline});
    waiters_changed_.notify_all();
  }
  bool is_done = false;
  while (!(is_done = done()) && Now() < deadline) condition.wait(lock);
  const std::lock_guard own(mutex_);
  waiters_.erase(self);
  return is_done;
}

void SimulatedClock::Advance(microseconds duration) { MoveTo(Now() + duration); }

bool SimulatedClock::AdvanceToNextDeadline() {
  SteadyTime earliest = SteadyTime::max();
  {
    const std::lock_guard lock(mutex_);
    for (const Waiter& waiter : waiters_) {
      if (waiter.deadline > now_) earliest = std::min(earliest, waiter.deadline);
    }
  }
  if (earliest == SteadyTime::max()) return false;
  MoveTo(earliest);
  return true;
}

void SimulatedClock::JumpWall(microseconds by) {
  const std::lock_guard lock(mutex_);
  wall_offset_ += by;
}

void SimulatedClock::AwaitWaiters(size_t count) {
  std::unique_lock lock(mutex_);
  waiters_changed_.wait(lock, [&] { return CountPendingWaiters() >= count; });
}

size_t SimulatedClock::CountPendingWaiters() const {
  return static_cast<size_t>(std::count_if(
      waiters_.begin(), waiters_.end(), [this](auto& waiter) { return waiter.deadline > now_; }));
}

void SimulatedClock::MoveTo(SteadyTime now) {
  // A waiter that has looked at the time and is about to sleep still holds its mutex, and a
  // notification now would be lost on it. So each one is notified while nobody holds its mutex, and
  // those who do are tried again. A waiter in the list is alive: it leaves only under mutex_.
  std::unordered_set<const Waiter*> notified;
  bool all_notified = false;
  for (bool first = true; !all_notified; first = false) {
    if (!first) std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    if (first) now_ = std::max(now_, now);
    all_notified = true;
    for (const Waiter& waiter : waiters_) {
      if (notified.contains(&waiter)) continue;
      if (!waiter.mutex->try_lock()) {
        all_notified = false;
        continue;
      }
      waiter.mutex->unlock();
      waiter.condition->notify_all();
      notified.insert(&waiter);
    }
  }
}

}  // namespace arka

// Tasks in the order of their due times. Pure: it is told the time. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "arka/io/clock.h"
#include "arka/transport/event_loop.h"

namespace arka::transport {

/// Names one waiting task; never used again.
struct TimerId {
  SteadyTime due;
  uint64_t number = 0;  // 0: none

  auto operator<=>(const TimerId&) const = default;
};

class TimerQueue {
 public:
  TimerId Add(SteadyTime due, EventLoop::Task task);
  /// Destroys the task unrun; nothing where it has run.
  void Cancel(TimerId id) { timers_.erase(id); }

  std::optional<SteadyTime> next_due() const;
  /// Runs what is due at `now`, first due first; tasks added meanwhile wait for the next call.
  void RunDue(SteadyTime now);
  void Clear() { timers_.clear(); }

 private:
  std::map<TimerId, EventLoop::Task> timers_;
  uint64_t last_number_ = 0;
};

}  // namespace arka::transport

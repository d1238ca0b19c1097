// How long the server has been running, over all its starts: what the age of a producer is counted
// in.
//
// Follows the steady clock, but at most kMaxStep from one look to the next. So a wall clock that
// jumps, a process that is stopped and the time between two starts do not count; a start goes on
// from the last checkpoint, hence behind, never ahead. Pure. Owned by the Sequencer, under its
// lock.
#pragma once

#include <algorithm>
#include <chrono>

#include "arka/io/clock.h"

namespace arka::ingest {

using RunningTime = std::chrono::microseconds;

class RunningClock {
 public:
  /// Somebody is to look at least this often.
  static constexpr std::chrono::minutes kMaxStep{1};

  explicit RunningClock(SteadyTime now) : looked_(now) {}

  /// A start: the server had run for `so_far` when the last checkpoint was made.
  void Restore(RunningTime so_far) { so_far_ = so_far; }

  RunningTime At(SteadyTime now) {
    const auto step = std::chrono::duration_cast<RunningTime>(now - looked_);
    if (step.count() <= 0) return so_far_;
    so_far_ += std::min<RunningTime>(step, kMaxStep);
    looked_ = now;
    return so_far_;
  }

 private:
  SteadyTime looked_;
  RunningTime so_far_{0};
};

}  // namespace arka::ingest

// Waits longer from one failure to the next, with jitter, until somebody asks to stop.
#pragma once

#include <chrono>
#include <stop_token>
#include <utility>

#include "arka/base/error.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"

namespace arka::lake {

/// Between 50 ms and 10 s, doubling; each wait is shortened by up to a half. One thread's own.
class BackOff {
 public:
  BackOff(Clock& clock, Random& random, std::stop_token stop)
      : clock_(clock), random_(random), stop_(std::move(stop)) {}

  /// Blocks for the next delay; kShuttingDown, at once, where a stop is requested.
  Status Wait();

 private:
  Clock& clock_;
  Random& random_;
  const std::stop_token stop_;
  std::chrono::milliseconds delay_{50};
};

}  // namespace arka::lake

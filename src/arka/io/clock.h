// The clock seam: tells the time and waits, so that every time-out can be tested.
//
// Real version: SystemClock (io/system_clock.h). Test version: SimulatedClock (testing/), where
// time moves only when a test says so and waiting threads wake then. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace arka {

/// For durations and deadlines. Never jumps.
using SteadyTime = std::chrono::steady_clock::time_point;
/// For time stamps that people and tables see. May jump.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual SteadyTime Now() const = 0;
  virtual WallTime WallNow() const = 0;

  /// Blocks until `done()` is true or Now() >= `deadline`; answers done(). `lock` is held whenever
  /// `done` is called and on return. Whoever changes what `done` reads notifies `condition`.
  virtual bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                         SteadyTime deadline, const std::function<bool()>& done) = 0;
};

}  // namespace arka

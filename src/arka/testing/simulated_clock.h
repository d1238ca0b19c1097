// The Clock seam for tests: time stands still until a test moves it, and threads that wait on it
// wake exactly then. The wall clock can be made to jump by itself.
//
//   SimulatedClock clock;
//   std::jthread loop(…);                 // runs until it waits for clock.Now() + 100ms
//   clock.AwaitWaiters(1);                // it waits now: no sleep needed in the test
//   clock.Advance(100ms);                 // it runs
//
// Thread-safe. Whoever moves the clock holds no mutex that a thread waits with.
#pragma once

#include <cstddef>
#include <list>

#include "arka/io/clock.h"

namespace arka {

class SimulatedClock final : public Clock {
 public:
  /// The steady clock starts an hour after its epoch, the wall clock at 2026-01-01T00:00:00Z.
  SimulatedClock();

  SteadyTime Now() const override;
  WallTime WallNow() const override;
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override;

  /// Moves both clocks; returns once every waiting thread has been notified.
  void Advance(std::chrono::microseconds duration);

  /// Moves to the earliest deadline that a thread waits for. Returns false, and moves nothing,
  /// where no thread waits or all wait for ever.
  bool AdvanceToNextDeadline();

  /// Moves the wall clock alone, forwards or back, as NTP or an administrator would.
  void JumpWall(std::chrono::microseconds by);

  /// Blocks until at least `count` threads wait for a time that has not come yet.
  void AwaitWaiters(size_t count);

 private:
  struct Waiter {
    std::mutex* mutex;
    std::condition_variable* condition;
    SteadyTime deadline;
  };

  size_t CountPendingWaiters() const;  // with mutex_ held
  void MoveTo(SteadyTime now);

  // Order: a waiter's mutex before mutex_. MoveTo, which needs them the other way, only tries.
  mutable std::mutex mutex_;
  std::condition_variable waiters_changed_;
  std::list<Waiter> waiters_;
  SteadyTime now_;
  std::chrono::microseconds wall_offset_;  // WallNow() less Now(), both since their epochs
};

}  // namespace arka

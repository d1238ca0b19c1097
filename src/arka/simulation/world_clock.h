// The Clock of a simulation, where one thread plays everybody: a wait lets the world go on.
//
// Whoever waits hands the thread to `while_waiting`, again and again until the deadline has come or
// what is waited for is there; it moves the time. Not thread-safe.
#pragma once

#include <functional>
#include <utility>

#include "arka/io/clock.h"

namespace arka::simulation {

class WorldClock final : public Clock {
 public:
  /// Called with the deadline, with no lock held. Answers false where the wait is to end at once:
  /// the process that waits is dead.
  using Waiting = std::function<bool(SteadyTime deadline)>;

  void SetWaiting(Waiting while_waiting) { while_waiting_ = std::move(while_waiting); }

  SteadyTime Now() const override { return now_; }
  WallTime WallNow() const override {
    return WallTime(std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()) +
                    wall_offset_);
  }
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable&, SteadyTime deadline,
                 const std::function<bool()>& done) override {
    while (!done() && now_ < deadline) {
      lock.unlock();
      const bool goes_on = while_waiting_(deadline);
      lock.lock();
      if (!goes_on) break;
    }
    return done();
  }

  void Advance(std::chrono::microseconds by) { now_ += by; }
  void JumpWall(std::chrono::microseconds by) { wall_offset_ += by; }

 private:
  SteadyTime now_{std::chrono::hours(1)};
  std::chrono::microseconds wall_offset_{std::chrono::seconds(1'767'225'600)};  // from 2026-01-01
  Waiting while_waiting_;
};

}  // namespace arka::simulation

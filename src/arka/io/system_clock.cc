#include "arka/io/system_clock.h"

namespace arka {

SteadyTime SystemClock::Now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::WallNow() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

bool SystemClock::WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                            SteadyTime deadline, const std::function<bool()>& done) {
  // SteadyTime::max() means for ever; libstdc++ would overflow when it converts it to a timespec.
  if (deadline == SteadyTime::max()) {
    condition.wait(lock, done);
    return true;
  }
  return condition.wait_until(lock, deadline, done);
}

}  // namespace arka

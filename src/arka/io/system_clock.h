// The machine's own clocks behind the Clock seam. Stateless and thread-safe; built once in server/.
#pragma once

#include "arka/io/clock.h"

namespace arka {

class SystemClock final : public Clock {
 public:
  SteadyTime Now() const override;
  WallTime WallNow() const override;
  bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                 SteadyTime deadline, const std::function<bool()>& done) override;
};

}  // namespace arka

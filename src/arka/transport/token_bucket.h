// A rate limit that lets bursts pass: `burst` at once, `per_second` for ever.
// Pure: it is told the time.
#pragma once

#include <algorithm>
#include <chrono>

#include "arka/io/clock.h"

namespace arka::transport {

class TokenBucket {
 public:
  TokenBucket(double burst, double per_second, SteadyTime now)
      : burst_(burst), per_second_(per_second), tokens_(burst), filled_at_(now) {}

  /// False where the limit is passed.
  bool Take(SteadyTime now) {
    if (tokens_ < 1) {
      const std::chrono::duration<double> elapsed = now - filled_at_;
      tokens_ = std::min(burst_, tokens_ + elapsed.count() * per_second_);
      filled_at_ = now;
      if (tokens_ < 1) return false;
    }
    tokens_ -= 1;
    return true;
  }

 private:
  const double burst_;
  const double per_second_;
  double tokens_;
  SteadyTime filled_at_;
};

}  // namespace arka::transport

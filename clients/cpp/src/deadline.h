// When a wait is over.
#pragma once

#include <algorithm>
#include <chrono>

namespace arka::client {

using Deadline = std::chrono::steady_clock::time_point;

/// What a caller gave, from nothing to a year: what is beyond would overflow the clock.
inline std::chrono::milliseconds Bounded(std::chrono::milliseconds timeout) {
  using std::chrono::milliseconds;
  return std::clamp<milliseconds>(timeout, milliseconds(0), std::chrono::hours(24 * 365));
}

/// When a wait of so long that begins now is over.
inline Deadline After(std::chrono::milliseconds timeout) {
  return std::chrono::steady_clock::now() + Bounded(timeout);
}

/// The time from now until then in whole milliseconds, 1 at least.
inline std::chrono::milliseconds Left(Deadline until) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(1));
}

}  // namespace arka::client

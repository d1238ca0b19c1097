// Every decision of one simulated life: what is done next, what fails, how long things take.
//
// The same seed gives the same decisions. A small generator, since one life takes thousands of
// them; the product's own randomness (UUIDs, jitter) comes from a SeededRandom. Not thread-safe.
#pragma once

#include <cstdint>

namespace arka::simulation {

class Choices {
 public:
  explicit Choices(uint64_t seed) : state_(seed) {}

  uint64_t Next() {  // splitmix64
    uint64_t bits = (state_ += 0x9e3779b97f4a7c15);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  /// 0 .. count - 1.
  int64_t Below(int64_t count) { return static_cast<int64_t>(Next() % uint64_t(count)); }
  /// first .. last.
  int64_t Between(int64_t first, int64_t last) { return first + Below(last - first + 1); }
  bool OneIn(int64_t count) { return Below(count) == 0; }
  /// Between `first` and `last`, each order of magnitude as likely as the next.
  int64_t Spread(int64_t first, int64_t last) {
    int64_t bound = first;
    while (bound < last && !OneIn(4)) bound *= 4;
    return Between(first, bound < last ? bound : last);
  }

 private:
  uint64_t state_;
};

}  // namespace arka::simulation

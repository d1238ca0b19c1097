// The Random seam for tests: the same seed gives the same bits. Thread-safe.
#pragma once

#include <mutex>
#include <random>

#include "arka/io/random.h"

namespace arka {

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}

  uint64_t Next() override {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace arka

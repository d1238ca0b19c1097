// Wakes one loop: "there may be something to do". Many notifications before a wait count as one.
//
// Thread-safe; the loop waits through the Clock seam, so that tests decide when time passes.
#pragma once

#include <condition_variable>
#include <mutex>

#include "arka/io/clock.h"

namespace arka::ingest {

class WakeSignal {
 public:
  void Notify() {
    {
      std::lock_guard lock(mutex_);
      if (notified_) return;
      notified_ = true;
    }
    condition_.notify_one();
  }

  /// Returns when notified since the last return, or at `deadline`.
  void WaitUntil(Clock& clock, SteadyTime deadline) {
    std::unique_lock lock(mutex_);
    clock.WaitUntil(lock, condition_, deadline, [&] { return notified_; });
    notified_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool notified_ = false;
};

}  // namespace arka::ingest

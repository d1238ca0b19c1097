#include "arka/ingest/log_pins.h"

#include <algorithm>

namespace arka::ingest {

std::shared_ptr<const LogPins::Pin> LogPins::Take() {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Pin> pin(new Pin(released_));
  pins_.push_back(pin);
  return pin;
}

Lsn LogPins::Release(Lsn through, bool no_room) {
  std::lock_guard lock(mutex_);
  while (!pins_.empty()) {
    const std::shared_ptr<Pin> oldest = pins_.front().lock();
    if (oldest != nullptr && !no_room) {
      through = std::min(through, oldest->after_);
      break;
    }
    if (oldest != nullptr) oldest->broken_ = true;
    pins_.pop_front();
  }
  released_ = std::max(released_, through);
  return released_;
}

}  // namespace arka::ingest

// Who reads the log, and what must therefore stay in it.
//
// A pin keeps everything that the log holds when it is taken. Reads give way to writes: where the
// log needs the room, pins are broken, and whoever reads under one finds out before it answers.
// Thread-safe; no I/O.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>

#include "arka/base/lsn.h"

namespace arka::ingest {

class LogPins {
 public:
  class Pin {
   public:
    /// Whether what the log held when the pin was taken was still there until now. So whoever reads
    /// asks after the reading.
    bool holds() const { return !broken_; }

   private:
    friend class LogPins;
    explicit Pin(Lsn after) : after_(after) {}

    const Lsn after_;
    std::atomic<bool> broken_{false};
  };

  /// Keeps the log as it is until the pin is destroyed, which may be after the pins are.
  std::shared_ptr<const Pin> Take();

  /// What of the log may go, of what is not needed `through`: no more than every pin allows. Where
  /// there is `no_room` for what pins keep, they are broken. What is answered counts as gone.
  Lsn Release(Lsn through, bool no_room);

 private:
  std::mutex mutex_;
  Lsn released_ = kNoLsn;               // guarded by mutex_
  std::list<std::weak_ptr<Pin>> pins_;  // guarded by mutex_; by rising after_
};

}  // namespace arka::ingest

// The segments that hold records not yet released, oldest first, and the rule for letting them go.
//
// Shared by the log thread, which adds, and by readers and Release. The newest segment always
// stays: the chain continues from it, and a log that has ever been written always has one.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "arka/wal/segment.h"

namespace arka::wal {

class LiveSegments {
 public:
  void Add(std::shared_ptr<Segment> segment);

  /// The number of the oldest segment with an LSN above `through`, else of the newest; 0 where
  /// there is none.
  int64_t FirstKept(Lsn through) const;
  /// Takes out, oldest first, the segments below that number.
  std::vector<std::shared_ptr<Segment>> TakeBelow(int64_t number);

  /// The oldest segment with a durable write after `after`, or none.
  std::shared_ptr<Segment> Find(Lsn after) const;

  /// The newest, or none.
  std::shared_ptr<Segment> newest() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Segment>> segments_;  // guarded by mutex_
};

}  // namespace arka::wal

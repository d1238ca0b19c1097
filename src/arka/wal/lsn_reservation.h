// Hands out LSNs from blocks that were made durable as "reserved" before the first of them is
// given.
//
// After a crash the next start begins above the reserved block, so no LSN is ever given twice; a
// clean close hands the unused rest back (Log::Close). Take is for one caller at a time; Extend may
// run beside it.
#pragma once

#include <atomic>
#include <mutex>

#include "arka/wal/control_file.h"

namespace arka::wal {

class LsnReservation {
 public:
  /// Continues after `control`'s reserved_through; the first block is reserved by ExtendIfLow.
  LsnReservation(ControlFile& control, int64_t block);

  /// The next LSN. Reserves another block first where none is left; on an error of that, which is
  /// answered, no LSN was given.
  Result<Lsn> Take();

  /// Reserves another block once half of the last is used, so that Take need not.
  Status ExtendIfLow();

  /// The LSN that Take gives next.
  Lsn next() const { return Lsn{next_.load()}; }

 private:
  Status Extend(int64_t free_at_most);

  ControlFile& control_;
  const int64_t block_;
  std::atomic<int64_t> next_;
  std::atomic<int64_t> limit_;  // the last LSN reserved
  std::mutex extending_;
};

}  // namespace arka::wal

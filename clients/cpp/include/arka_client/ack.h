// What the server says of writes: one of them has reached a level, or all have up to an LSN.
#pragma once

#include <cstdint>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::client {

/// A write has reached a level.
struct Ack {
  Lsn lsn;
  Tier level = Tier::kMemory;
  int64_t seq = 0;  // the producer's number of the write; 0: of an event that was asked for
  int64_t timestamp_us = 0;  // when the server reached it, since 1970, UTC; 0: it did not say
  int64_t snapshot_id = 0;   // of COMMITTED, the Iceberg snapshot that has the write; 0: none known
};

/// Every LSN of the server at or below one of these, whoever wrote it, has reached that level.
struct Watermarks {
  Lsn last_lsn = kNoLsn;  // the last that was given
  Lsn disk_lsn = kNoLsn;
  Lsn s3_lsn = kNoLsn;
  Lsn committed_lsn = kNoLsn;

  Lsn At(Tier level) const {
    switch (level) {
      case Tier::kMemory:
        return last_lsn;
      case Tier::kLocalDisk:
        return disk_lsn;
      case Tier::kObjectStorage:
        return s3_lsn;
      case Tier::kCommitted:
        return committed_lsn;
    }
    return kNoLsn;
  }
};

}  // namespace arka::client

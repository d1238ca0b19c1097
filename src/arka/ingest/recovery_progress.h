// How far a start is with reading its log, for those who wait for it. Written by the recovery, read
// by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace arka::ingest {

struct RecoveryProgress {
  std::atomic<int64_t> bytes_done{0};
  std::atomic<int64_t> bytes_total{0};  // 0: not known yet
};

}  // namespace arka::ingest

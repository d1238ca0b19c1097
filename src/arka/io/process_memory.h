// The seam to the memory of this process: how much of it is resident, and giving back what is free.
#pragma once

#include <cstdint>

#include "arka/base/error.h"

namespace arka {

class ProcessMemory {
 public:
  virtual ~ProcessMemory() = default;

  /// Bytes of memory that the process occupies now. Quick; kIoFailed where that cannot be told.
  virtual Result<int64_t> ResidentBytes() = 0;

  /// Asks the allocator to give free pages back to the operating system. May take milliseconds.
  virtual void Purge() = 0;
};

/// The process's own: /proc/self/statm, and jemalloc where that is linked. Thread-safe.
class OwnMemory final : public ProcessMemory {
 public:
  Result<int64_t> ResidentBytes() override;
  void Purge() override;
};

/// The memory that this process may use: the machine's, or the smallest limit of the control groups
/// that it is in.
Result<int64_t> AvailableMemoryBytes();

}  // namespace arka

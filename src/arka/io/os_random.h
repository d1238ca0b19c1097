// Random bits from the kernel (getrandom). Stateless and thread-safe; built once in server/.
#pragma once

#include "arka/io/random.h"

namespace arka {

class OsRandom final : public Random {
 public:
  /// One system call. Blocks only before the kernel's pool is seeded, early at boot.
  uint64_t Next() override;
};

}  // namespace arka

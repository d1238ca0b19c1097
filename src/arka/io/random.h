// The randomness seam: identifiers and jitter. Real: OsRandom; tests: SeededRandom. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace arka {

class Random {
 public:
  virtual ~Random() = default;

  /// 64 uniform bits.
  virtual uint64_t Next() = 0;
};

/// A random (version 4) UUID in its text form, 36 characters, RFC 9562 section 5.4.
std::string MakeUuid(Random& random);

}  // namespace arka

#include "arka/io/random.h"

namespace arka {

std::string MakeUuid(Random& random) {
  constexpr char kHexDigits[] = "0123456789abcdef";
  constexpr uint64_t kVersionMask = 0xF000;
  constexpr uint64_t kVersion4 = 0x4000;
  constexpr uint64_t kVariantMask = uint64_t{3} << 62;
  constexpr uint64_t kVariantRfc9562 = uint64_t{2} << 62;
  const uint64_t high = (random.Next() & ~kVersionMask) | kVersion4;
  const uint64_t low = (random.Next() & ~kVariantMask) | kVariantRfc9562;

  std::string text;
  text.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text.push_back('-');
    const uint64_t half = digit < 16 ? high : low;
    text.push_back(kHexDigits[(half >> (60 - 4 * (digit % 16))) & 0xF]);
  }
  return text;
}

}  // namespace arka

#include "arka/io/os_random.h"

#include <cerrno>

#include <sys/random.h>

#include "arka/base/check.h"

namespace arka {

uint64_t OsRandom::Next() {
  uint64_t bits = 0;
  ssize_t count = 0;
  do {
    count = getrandom(&bits, sizeof(bits), 0);
  } while (count < 0 && errno == EINTR);
  // Up to 256 bytes never come short, and there is nothing sensible to do without randomness.
  ARKA_CHECK(count == sizeof(bits));
  return bits;
}

}  // namespace arka

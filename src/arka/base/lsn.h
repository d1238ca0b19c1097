// The log sequence number: the name of one write, over the whole deployment and for ever.
//
// A strong type, so that an LSN is never mistaken for a count, a seq or a snapshot id.
// Ranges are inclusive, first..last. Values order; arithmetic is spelled out.
#pragma once

#include <compare>
#include <cstdint>
#include <ostream>

namespace arka {

struct Lsn {
  int64_t value = 0;

  constexpr auto operator<=>(const Lsn&) const = default;
  constexpr Lsn next() const { return Lsn{value + 1}; }
  constexpr Lsn previous() const { return Lsn{value - 1}; }
};

/// The first LSN of a new deployment.
inline constexpr Lsn kFirstLsn{1000};
/// Below every LSN ever given: "nothing yet".
inline constexpr Lsn kNoLsn{kFirstLsn.value - 1};

inline std::ostream& operator<<(std::ostream& out, Lsn lsn) { return out << lsn.value; }

}  // namespace arka

// A set of LSNs, as ranges: those that are lost, since a crash took them before they were durable
// or since they were given up. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "arka/base/lsn.h"

namespace arka::ingest {

struct LsnRange {
  Lsn first;
  Lsn last;
  bool operator==(const LsnRange&) const = default;
};

class LsnRanges {
 public:
  LsnRanges() = default;
  /// `ranges` in order, none touching another.
  explicit LsnRanges(std::vector<LsnRange> ranges) : ranges_(std::move(ranges)) {}

  /// Adds a range, wherever it lies; nothing where it is empty.
  void Add(LsnRange range);
  bool Contains(Lsn lsn) const;
  /// Those that begin at or below `through`.
  std::vector<LsnRange> UpTo(Lsn through) const;

  /// The highest LSN in it that is below `lsn`; kNoLsn where there is none.
  Lsn LastBelow(Lsn lsn) const;
  int64_t count() const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<LsnRange> ranges_;
};

}  // namespace arka::ingest

// A set of LSNs, as ranges: those that a crash took before they were durable. Pure.
#pragma once

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

  /// Adds a range that begins at or above the last one's begin; nothing where it is empty.
  void Add(LsnRange range);
  bool Contains(Lsn lsn) const;
  /// Those that begin at or below `through`.
  std::vector<LsnRange> UpTo(Lsn through) const;

  /// The highest LSN in it; kNoLsn where there is none.
  Lsn last() const { return ranges_.empty() ? kNoLsn : ranges_.back().last; }
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<LsnRange> ranges_;
};

}  // namespace arka::ingest

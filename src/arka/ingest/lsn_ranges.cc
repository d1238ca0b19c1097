#include "arka/ingest/lsn_ranges.h"

#include <algorithm>
#include <iterator>

namespace arka::ingest {
namespace {

bool BeginsAbove(Lsn lsn, const LsnRange& range) { return lsn < range.first; }

}  // namespace

void LsnRanges::Add(LsnRange range) {
  if (range.last < range.first) return;
  // Those that it touches become one with it.
  const auto first = std::partition_point(
      ranges_.begin(), ranges_.end(),
      [&](const LsnRange& before) { return before.last.next() < range.first; });
  const auto end = std::partition_point(first, ranges_.end(), [&](const LsnRange& touched) {
    return touched.first <= range.last.next();
  });
  if (first == end) {
    ranges_.insert(first, range);
    return;
  }
  *first = {std::min(first->first, range.first), std::max(std::prev(end)->last, range.last)};
  ranges_.erase(std::next(first), end);
}

bool LsnRanges::Contains(Lsn lsn) const {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), lsn, BeginsAbove);
  return behind != ranges_.begin() && lsn <= std::prev(behind)->last;
}

Lsn LsnRanges::LastBelow(Lsn lsn) const {
  const auto behind = std::partition_point(
      ranges_.begin(), ranges_.end(), [&](const LsnRange& range) { return range.first < lsn; });
  if (behind == ranges_.begin()) return kNoLsn;
  return std::min(std::prev(behind)->last, lsn.previous());
}

int64_t LsnRanges::count() const {
  int64_t lsns = 0;
  for (const LsnRange& range : ranges_) lsns += range.last.value - range.first.value + 1;
  return lsns;
}

std::vector<LsnRange> LsnRanges::UpTo(Lsn through) const {
  return {ranges_.begin(), std::upper_bound(ranges_.begin(), ranges_.end(), through, BeginsAbove)};
}

}  // namespace arka::ingest

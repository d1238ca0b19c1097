#include "arka/ingest/lsn_ranges.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::ingest {
namespace {

bool BeginsAbove(Lsn lsn, const LsnRange& range) { return lsn < range.first; }

}  // namespace

void LsnRanges::Add(LsnRange range) {
  if (range.last < range.first) return;
  ARKA_CHECK(ranges_.empty() || ranges_.back().first <= range.first);
  if (!ranges_.empty() && range.first <= ranges_.back().last.next()) {
    ranges_.back().last = std::max(ranges_.back().last, range.last);
  } else {
    ranges_.push_back(range);
  }
}

bool LsnRanges::Contains(Lsn lsn) const {
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), lsn, BeginsAbove);
  return behind != ranges_.begin() && lsn <= std::prev(behind)->last;
}

std::vector<LsnRange> LsnRanges::UpTo(Lsn through) const {
  return {ranges_.begin(), std::upper_bound(ranges_.begin(), ranges_.end(), through, BeginsAbove)};
}

}  // namespace arka::ingest

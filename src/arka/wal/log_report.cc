#include "arka/wal/log_report.h"

#include <numeric>

namespace arka::wal {

int64_t SegmentReport::writes() const {
  return std::accumulate(extents.begin(), extents.end(), int64_t{0},
                         [](int64_t sum, const Extent& extent) { return sum + extent.writes; });
}

Lsn SegmentReport::first_lsn() const {
  for (const Extent& extent : extents) {
    if (extent.writes > 0) return extent.start.last_lsn.next();
  }
  return kNoLsn;
}

Lsn SegmentReport::last_lsn() const {
  Lsn last = kNoLsn;
  for (const Extent& extent : extents) {
    if (extent.writes > 0) last = extent.end.last_lsn;
  }
  return last;
}

int64_t SegmentReport::end_offset() const {
  return extents.empty() ? 0 : extents.back().end.offset;
}

std::vector<Hole> LogReport::holes() const {
  std::vector<Hole> all;
  for (const SegmentReport& segment : segments) {
    all.insert(all.end(), segment.holes.begin(), segment.holes.end());
  }
  return all;
}

bool LogReport::damaged() const { return !control_good || !holes().empty(); }

bool LogReport::HoldsAll(Lsn first, Lsn last) const {
  for (const SegmentReport& segment : segments) {
    for (const Extent& extent : segment.extents) {
      if (extent.start.last_lsn < first && first <= extent.end.last_lsn) {
        first = extent.end.last_lsn.next();
      }
    }
  }
  return first > last;
}

Lsn LogReport::begins_after() const {
  if (segments.empty() || !segments.front().header) return kNoLsn;
  return segments.front().header->predecessor.last_lsn;
}

int64_t LogReport::writes() const {
  return std::accumulate(
      segments.begin(), segments.end(), int64_t{0},
      [](int64_t sum, const SegmentReport& segment) { return sum + segment.writes(); });
}

int64_t LogReport::size_bytes() const {
  return std::accumulate(
      segments.begin(), segments.end(), int64_t{0},
      [](int64_t sum, const SegmentReport& segment) { return sum + segment.size_bytes; });
}

}  // namespace arka::wal

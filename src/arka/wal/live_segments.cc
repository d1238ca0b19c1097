#include "arka/wal/live_segments.h"

#include <utility>

namespace arka::wal {

void LiveSegments::Add(std::shared_ptr<Segment> segment) {
  const std::lock_guard lock(mutex_);
  segments_.push_back(std::move(segment));
}

int64_t LiveSegments::FirstKept(Lsn through) const {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Segment>& segment : segments_) {
    if (segment->end().last_lsn > through || segment == segments_.back()) {
      return segment->header().number;
    }
  }
  return 0;
}

std::vector<std::shared_ptr<Segment>> LiveSegments::TakeBelow(int64_t number) {
  std::vector<std::shared_ptr<Segment>> released;
  const std::lock_guard lock(mutex_);
  while (!segments_.empty() && segments_.front()->header().number < number) {
    released.push_back(std::move(segments_.front()));
    segments_.pop_front();
  }
  return released;
}

std::shared_ptr<Segment> LiveSegments::Find(Lsn after) const {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Segment>& segment : segments_) {
    const ChainPoint end = segment->end();
    if (end.last_lsn > after && end.last_lsn >= segment->header().first_lsn) return segment;
  }
  return nullptr;
}

std::shared_ptr<Segment> LiveSegments::newest() const {
  const std::lock_guard lock(mutex_);
  return segments_.empty() ? nullptr : segments_.back();
}

}  // namespace arka::wal

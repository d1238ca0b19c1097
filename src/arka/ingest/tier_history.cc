#include "arka/ingest/tier_history.h"

#include <algorithm>
#include <utility>

namespace arka::ingest {

void TierHistory::OnMoved(Lsn watermark, WallTime now) {
  if (!samples_.empty() && watermark <= samples_.back().lsn) return;
  const bool same_step = now >= step_began_ && now - step_began_ < kStep;
  if (!samples_.empty() && same_step) {
    samples_.back() = {watermark, now};
    return;
  }
  step_began_ = now;
  samples_.push_back({watermark, now});
  while (samples_.size() > 1 && now - samples_.front().at > retention_) samples_.pop_front();
  if (samples_.size() > kMaxSamples) Thin();
}

std::optional<WallTime> TierHistory::ReachedAt(Lsn lsn) const {
  const auto sample =
      std::lower_bound(samples_.begin(), samples_.end(), lsn,
                       [](const Sample& known, Lsn wanted) { return known.lsn < wanted; });
  if (sample == samples_.end()) return std::nullopt;
  return sample->at;
}

// Of each pair the later one stands for both.
void TierHistory::Thin() {
  std::deque<Sample> thinned;
  for (size_t i = samples_.size() % 2 == 0 ? 1 : 0; i < samples_.size(); i += 2) {
    thinned.push_back(samples_[i]);
  }
  samples_ = std::move(thinned);
}

}  // namespace arka::ingest

#include "arka_client/tracking.h"

#include "status.h"

#include <algorithm>

namespace arka::client {

void AckTracker::OnAck(const Ack& ack) {
  const std::lock_guard lock(mutex_);
  Lsn& reached = reached_[IndexOf(ack.level)];
  reached = std::max(reached, ack.lsn);
  changed_.notify_all();
}

std::optional<Tier> AckTracker::LevelOf(Lsn lsn) const {
  const std::lock_guard lock(mutex_);
  std::optional<Tier> highest;
  for (const Tier level : kAllTiers) {
    if (lsn <= reached_[IndexOf(level)]) highest = level;
  }
  return highest;
}

arrow::Status AckTracker::WaitAll(const std::vector<Lsn>& lsns, Tier level,
                                  std::chrono::milliseconds timeout) {
  if (lsns.empty()) return arrow::Status::OK();
  const Lsn last = *std::ranges::max_element(lsns);
  std::unique_lock lock(mutex_);
  const Lsn& reached = reached_[IndexOf(level)];
  if (changed_.wait_for(lock, timeout, [&] { return reached >= last; })) return arrow::Status::OK();
  return Failure(Code::kDeadlineExceeded, TierName(level), " has come to LSN ", reached,
                 " in time, not to ", last);
}

}  // namespace arka::client

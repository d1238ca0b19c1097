#include "arka_client/tracking.h"

#include "status.h"

#include <algorithm>

namespace arka::client {

void AckTracker::OnAck(const Ack& ack) {
  const std::lock_guard lock(mutex_);
  Lsn& reached = reached_[IndexOf(ack.level)];
  int64_t& seq = seqs_[IndexOf(ack.level)];
  if (ack.level == Tier::kMemory && ack.seq > 0 &&
      ack.seq <= seq) {  // it is named again: a crash took its LSN
    lost_.push_back({reached_[IndexOf(Tier::kLocalDisk)], reached, seq});
  }
  reached = std::max(reached, ack.lsn);
  seq = ack.seq;
  if (ack.level == Tier::kCommitted) {
    std::erase_if(lost_, [&](const Lost& lost) { return lost.seq <= ack.seq; });
  }
  changed_.notify_all();
}

bool AckTracker::HasReached(Lsn lsn, Tier level) const {
  for (const Lost& lost : lost_) {
    if (lost.on_disk < lsn && lsn <= lost.last) return lost.seq <= seqs_[IndexOf(level)];
  }
  return lsn <= reached_[IndexOf(level)];
}

std::optional<Tier> AckTracker::LevelOf(Lsn lsn) const {
  const std::lock_guard lock(mutex_);
  std::optional<Tier> highest;
  for (const Tier level : kAllTiers) {
    if (HasReached(lsn, level)) highest = level;
  }
  return highest;
}

arrow::Status AckTracker::WaitAll(const std::vector<Lsn>& lsns, Tier level,
                                  std::chrono::milliseconds timeout) {
  if (lsns.empty()) return arrow::Status::OK();
  const Lsn last = *std::ranges::max_element(lsns);
  std::unique_lock lock(mutex_);
  const auto all = [&] {
    return HasReached(last, level) && (lost_.empty() || std::ranges::all_of(lsns, [&](Lsn lsn) {
                                         return HasReached(lsn, level);
                                       }));
  };
  if (changed_.wait_for(lock, timeout, all)) return arrow::Status::OK();
  return Failure(Code::kDeadlineExceeded, TierName(level), " has come to LSN ",
                 reached_[IndexOf(level)], " in time, not to ", last);
}

}  // namespace arka::client

#include "arka/acks/ack_cursor.h"

#include <algorithm>

#include "arka/base/check.h"

namespace arka::acks {
namespace {

// Joined to the run before it where only the place of the cut tells them apart.
void Append(const protocol::AckRun& run, std::vector<protocol::AckRun>* acks) {
  if (!acks->empty()) {
    protocol::AckRun& before = acks->back();
    if (before.tier == run.tier && before.last.next() == run.first &&
        before.timestamp_us == run.timestamp_us && before.snapshot_id == run.snapshot_id) {
      before.last = run.last;
      return;
    }
  }
  acks->push_back(run);
}

}  // namespace

AckCursor::AckCursor(std::array<bool, 4> wanted) : wanted_(wanted) { taken_.fill(kNoLsn); }

void AckCursor::Add(Lsn first, Lsn last) {
  ARKA_CHECK(first > last_ && last >= first);
  if (!runs_.empty() && runs_.back().last.next() == first) {
    runs_.back().last = last;
    // Cursors that had left the run behind come back to it.
    for (size_t& at : at_) at = std::min(at, runs_.size() - 1);
  } else {
    runs_.push_back({first, last});
  }
  last_ = last;
  if (runs_.size() > kMaxRuns) ForgetOldest();
}

void AckCursor::SkipThrough(Tier tier, Lsn through) {
  const size_t i = IndexOf(tier);
  if (i > 0) through = std::min(through, taken_[i - 1]);
  taken_[i] = std::max(taken_[i], through);
  DropTaken();
}

void AckCursor::ForgetOldest() {
  const Run oldest = runs_.front();
  forgotten_ += oldest.last.value - oldest.first.value + 1;
  for (size_t tier = 0; tier < taken_.size(); ++tier) {
    taken_[tier] = std::max(taken_[tier], oldest.last);
  }
  DropTaken();
}

std::vector<protocol::AckRun> AckCursor::Take(const std::array<Lsn, 3>& reached,
                                              const std::array<int64_t, 4>& moved_at_us,
                                              const CommitLookup& commits, int64_t max_rows) {
  std::vector<protocol::AckRun> acks;
  Lsn previous_tier = last_;
  for (Tier tier : {Tier::kMemory, Tier::kLocalDisk, Tier::kObjectStorage}) {
    const size_t i = IndexOf(tier);
    // A watermark's time is that of its last move, which may have been after the LSN: but what has
    // reached a higher tier came here no later than there.
    for (size_t higher = reached.size(); higher-- > i;) {
      const int64_t at_us =
          *std::min_element(moved_at_us.begin() + i, moved_at_us.begin() + higher + 1);
      Advance(tier, std::min(reached[higher], previous_tier), at_us, 0, &max_rows, &acks);
    }
    previous_tier = taken_[i];
  }
  while (max_rows > 0) {
    const Lsn next = FirstPending(Tier::kCommitted);
    if (next == kNoLsn || next > previous_tier) break;
    const auto commit = commits(next);
    if (!commit) break;
    Advance(Tier::kCommitted, std::min(commit->through, previous_tier),
            std::max(commit->timestamp_us, stored_us_), commit->snapshot_id, &max_rows, &acks);
  }
  DropTaken();
  return acks;
}

void AckCursor::Advance(Tier tier, Lsn through, int64_t timestamp_us, int64_t snapshot_id,
                        int64_t* rows_left, std::vector<protocol::AckRun>* acks) {
  Lsn& taken = taken_[IndexOf(tier)];
  size_t& at = at_[IndexOf(tier)];
  for (; at < runs_.size() && taken < through; ++at) {
    const Run& run = runs_[at];
    if (run.first > through) break;
    const Lsn first = std::max(run.first, taken.next());
    if (first > run.last) continue;
    Lsn last = std::min(run.last, through);
    if (wanted_[IndexOf(tier)]) {
      if (*rows_left <= 0) return;
      last = std::min(last, Lsn{first.value + *rows_left - 1});
      *rows_left -= last.value - first.value + 1;
      Append({first, last, tier, timestamp_us, snapshot_id}, acks);
    }
    if (tier == Tier::kObjectStorage) stored_us_ = std::max(stored_us_, timestamp_us);
    taken = last;
    if (last < run.last) return;
  }
}

Lsn AckCursor::FirstPending(Tier tier) const {
  const Lsn taken = taken_[IndexOf(tier)];
  for (size_t i = at_[IndexOf(tier)]; i < runs_.size(); ++i) {
    if (runs_[i].last > taken) return std::max(runs_[i].first, taken.next());
  }
  return kNoLsn;
}

bool AckCursor::AllTakenThrough(Tier tier) const {
  for (Tier each : kAllTiers) {
    if (each <= tier && FirstPending(each) != kNoLsn) return false;
  }
  return true;
}

void AckCursor::DropTaken() {
  const Lsn all_taken = *std::min_element(taken_.begin(), taken_.end());
  while (!runs_.empty() && runs_.front().last <= all_taken) {
    runs_.pop_front();
    for (size_t& at : at_) at = at == 0 ? 0 : at - 1;
  }
}

}  // namespace arka::acks

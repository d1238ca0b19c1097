#include "arka/acks/ack_cursors.h"

#include <algorithm>
#include <utility>

#include "arka/base/check.h"

namespace arka::acks {
namespace {

// What a client that reads no acks can make: beyond it the oldest acks come in another order, and
// those of batches that were committed long ago are forgotten.
constexpr size_t kMaxTurns = 1 << 16;

}  // namespace

AckCursors::AckCursors(std::array<bool, 4> wanted, Tier highest_awaited)
    : wanted_(wanted), highest_awaited_(highest_awaited) {
  entries_.push_back({AckCursor(wanted_)});
}

bool AckCursors::HasRoom() const {
  return entries_.size() < kMaxBusy ||
         std::any_of(entries_.begin(), entries_.end(),
                     [this](const Entry& entry) { return !IsBusy(entry); });
}

void AckCursors::Add(Lsn lsn, bool is_retry) {
  if (entries_.size() == 1 && entries_[0].cursor.last() < lsn) {  // every stream without retries
    entries_[0].has_retries |= is_retry;
    entries_[0].cursor.Add(lsn);
    return;
  }
  const size_t cursor = CursorFor(lsn);
  if (cursor != current_) {
    EndTurn();
    current_ = cursor;
  }
  entries_[current_].has_retries |= is_retry;
  entries_[current_].cursor.Add(lsn);
  if (entries_.size() > 1) Bound();
}

void AckCursors::AddCommittedLongAgo(Lsn lsn) {
  if (!turns_.empty() && turns_.back().count > 0 && turns_.back().through == lsn &&
      entries_[current_].cursor.FirstPending(Tier::kMemory) == kNoLsn) {
    ++turns_.back().count;
    return;
  }
  EndTurn();
  PushTurn({current_, lsn, 1});
}

// The nearest below keeps the cursors apart as long as possible: with it a set of n is used up by
// no fewer than n LSNs that fall.
size_t AckCursors::CursorFor(Lsn lsn) {
  std::optional<size_t> nearest;
  std::optional<size_t> free;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Lsn last = entries_[i].cursor.last();
    if (last < lsn && (!nearest || last > entries_[*nearest].cursor.last())) nearest = i;
    if (last >= lsn && !free && !IsBusy(entries_[i])) free = i;
  }
  if (nearest) return *nearest;
  if (!free) {
    ARKA_CHECK(entries_.size() < kMaxBusy);
    entries_.push_back({AckCursor(wanted_)});
    return entries_.size() - 1;
  }
  if (*free == current_) EndTurn();
  entries_[*free] = {AckCursor(wanted_)};
  return *free;
}

// What the current cursor has not told of MEMORY comes before whatever is added next.
void AckCursors::EndTurn() {
  const AckCursor& cursor = entries_[current_].cursor;
  if (cursor.FirstPending(Tier::kMemory) == kNoLsn) return;
  if (!turns_.empty() && turns_.back().count == 0 && turns_.back().cursor == current_ &&
      turns_.back().through == cursor.last()) {
    return;
  }
  PushTurn({current_, cursor.last()});
}

void AckCursors::PushTurn(Turn turn) {
  turns_.push_back(turn);
  if (turns_.size() > kMaxTurns) turns_.pop_front();
}

// All cursors together keep no more than one alone may.
void AckCursors::Bound() {
  size_t runs = 0;
  Entry* largest = &entries_.front();
  for (Entry& entry : entries_) {
    runs += entry.cursor.runs();
    if (entry.cursor.runs() > largest->cursor.runs()) largest = &entry;
  }
  if (runs > AckCursor::kMaxRuns) largest->cursor.ForgetOldest();
}

std::vector<protocol::AckRun> AckCursors::Take(const ReachedTiers& reached, const TimeLookup& times,
                                               const CommitLookup& commits, int64_t max_rows) {
  std::vector<protocol::AckRun> acks;
  while (!turns_.empty()) {
    Turn& turn = turns_.front();
    if (turn.count > 0) {
      if (!TakeLongAgo(turn, reached, times, commits, &max_rows, &acks)) return acks;
    } else {
      Entry& entry = entries_[turn.cursor];
      ReachedTiers of_turn = reached;
      for (Lsn& lsn : of_turn.lsn) lsn = std::min(lsn, turn.through);
      TakeFrom(entry, of_turn, times, commits, &max_rows, &acks);
      const Lsn next = entry.cursor.FirstPending(Tier::kMemory);
      if (next != kNoLsn && next <= turn.through) return acks;
    }
    turns_.pop_front();
  }
  for (Entry& entry : entries_) {
    if (max_rows <= 0) break;
    TakeFrom(entry, reached, times, commits, &max_rows, &acks);
  }
  return acks;
}

void AckCursors::TakeFrom(Entry& entry, ReachedTiers reached, const TimeLookup& times,
                          const CommitLookup& commits, int64_t* rows_left,
                          std::vector<protocol::AckRun>* acks) const {
  AckCursor& cursor = entry.cursor;
  if (cursor.runs() == 0) {
    entry.has_retries = false;
    return;
  }
  if (entry.has_retries) {
    // When a tier came as far as this cursor's LSNs go.
    for (Tier tier : {Tier::kMemory, Tier::kLocalDisk, Tier::kObjectStorage}) {
      const size_t i = IndexOf(tier);
      const auto at_us = times(tier, std::min(reached.lsn[i], cursor.last()));
      if (at_us) reached.moved_at_us[i] = std::min(reached.moved_at_us[i], *at_us);
    }
  }
  for (auto& run : cursor.Take(reached.lsn, reached.moved_at_us, commits, *rows_left)) {
    *rows_left -= run.rows();
    acks->push_back(run);
  }
}

bool AckCursors::TakeLongAgo(Turn& turn, const ReachedTiers& reached, const TimeLookup& times,
                             const CommitLookup& commits, int64_t* rows_left,
                             std::vector<protocol::AckRun>* acks) const {
  std::vector<protocol::AckRun> rows;  // of one batch
  int64_t at_us = 0;
  for (Tier tier : kAllTiers) {
    const auto commit = tier == Tier::kCommitted ? commits(turn.through) : std::nullopt;
    if (commit) at_us = std::max(at_us, commit->timestamp_us);
    if (tier != Tier::kCommitted) {
      at_us = std::max(
          at_us, times(tier, turn.through).value_or(reached.moved_at_us[IndexOf(Tier::kMemory)]));
    }
    if (wanted_[IndexOf(tier)]) rows.push_back({turn.through, turn.through, tier, at_us, 0});
  }
  for (; turn.count > 0; --turn.count) {
    if (*rows_left <= 0) return false;
    *rows_left -= static_cast<int64_t>(rows.size());
    acks->insert(acks->end(), rows.begin(), rows.end());
  }
  return true;
}

Lsn AckCursors::FirstPending(Tier tier) const {
  Lsn first = kNoLsn;
  for (const Entry& entry : entries_) {
    const Lsn lsn = entry.cursor.FirstPending(tier);
    if (lsn != kNoLsn && (first == kNoLsn || lsn < first)) first = lsn;
  }
  return first;
}

bool AckCursors::AllTakenThrough(Tier tier) const {
  return turns_.empty() &&
         std::all_of(entries_.begin(), entries_.end(),
                     [tier](const Entry& entry) { return entry.cursor.AllTakenThrough(tier); });
}

}  // namespace arka::acks

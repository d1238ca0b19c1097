// What one stream has still to be told where its batches may be retries, whose LSNs are old.
//
// An AckCursor takes LSNs that rise. A retry's LSN may be any, so there is a set of cursors: an LSN
// goes to the cursor whose last one is the nearest below it, or to a free one. A stream without
// retries has one cursor for ever, and costs what that costs. Cursors that have told everything are
// used again. Invariants: MEMORY is told once for every batch, in the order in which the batches
// came, so that the n-th such ack is of the n-th batch; for one batch the tiers come in order, none
// early (AckCursor). A pure value.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "arka/acks/ack_cursor.h"
#include "arka/base/lsn.h"
#include "arka/base/tier.h"

namespace arka::acks {

/// When an LSN reached a tier up to OBJECT_STORAGE, in microseconds since the epoch; nothing: it
/// has not.
using TimeLookup = std::function<std::optional<int64_t>(Tier, Lsn)>;

/// How far the server is, by Tier.
struct ReachedTiers {
  std::array<Lsn, 3> lsn;  // COMMITTED goes by the CommitLookup
  std::array<int64_t, 4> moved_at_us = {};
};

class AckCursors {
 public:
  /// `wanted`, by Tier: which tiers yield acks. A batch occupies its cursor until it has been told
  /// up to `highest_awaited`.
  AckCursors(std::array<bool, 4> wanted, Tier highest_awaited);

  /// Whether any batch can be added: fewer than kMaxBusy cursors have something to tell.
  bool HasRoom() const;

  /// The stream's next batch has `lsn`, as a new write or as a retry of an old one. Needs room.
  void Add(Lsn lsn, bool is_retry);

  /// The stream's next batch is a retry that was committed long ago, at or below `lsn`: every tier
  /// is due at once.
  void AddCommittedLongAgo(Lsn lsn);

  /// As AckCursor::Take. The times of retries come from `times`: a watermark's last move says
  /// nothing about them.
  std::vector<protocol::AckRun> Take(const ReachedTiers& reached, const TimeLookup& times,
                                     const CommitLookup& commits, int64_t max_rows);

  /// The lowest LSN that `tier` has not been taken for; kNoLsn where all have.
  Lsn FirstPending(Tier tier) const;

  /// Whether every batch so far has been taken for every tier up to `tier`.
  bool AllTakenThrough(Tier tier) const;

  static constexpr size_t kMaxBusy = 64;

 private:
  struct Entry {
    AckCursor cursor;
    bool has_retries = false;
  };
  // The batches before the ones that `current_` took last: one cursor's up to an LSN, or `count`
  // that were committed long ago.
  struct Turn {
    size_t cursor;
    Lsn through;
    int64_t count = 0;  // > 0: committed long ago, under LSN `through`
  };

  bool IsBusy(const Entry& entry) const { return !entry.cursor.AllTakenThrough(highest_awaited_); }
  size_t CursorFor(Lsn lsn);
  void EndTurn();
  void PushTurn(Turn turn);
  void Bound();
  void TakeFrom(Entry& entry, ReachedTiers reached, const TimeLookup& times,
                const CommitLookup& commits, int64_t* rows_left,
                std::vector<protocol::AckRun>* acks) const;
  // False where rows ran out before.
  bool TakeLongAgo(Turn& turn, const ReachedTiers& reached, const TimeLookup& times,
                   const CommitLookup& commits, int64_t* rows_left,
                   std::vector<protocol::AckRun>* acks) const;

  const std::array<bool, 4> wanted_;
  const Tier highest_awaited_;
  std::vector<Entry> entries_;
  size_t current_ = 0;  // whose turn it is
  std::deque<Turn> turns_;
};

}  // namespace arka::acks

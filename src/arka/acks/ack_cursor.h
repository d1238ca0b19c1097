// What one stream has still to be told: its own LSNs, and how far each tier has been told.
//
// A pure value. The stream's LSNs are kept run-length encoded; a cursor per tier points into them.
// A watermark that moves becomes, at the next Take, one run of acks per run of LSNs between cursor
// and watermark. So a client that does not read its acks costs at most 16 bytes per write (nothing
// more at all while it is the only writer), and a fast one gets few, large ack batches. Invariant:
// for one LSN tiers come in order, each once, and their times do not fall; a tier is told only up
// to its watermark.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "arka/base/lsn.h"
#include "arka/base/tier.h"
#include "arka/protocol/ack_batch.h"

namespace arka::acks {

/// The commit that covers an LSN: up to where, which snapshot, when. Nothing: not committed yet.
struct CommittedRange {
  Lsn through;
  int64_t snapshot_id = 0;
  int64_t timestamp_us = 0;
};
using CommitLookup = std::function<std::optional<CommittedRange>(Lsn)>;

class AckCursor {
 public:
  /// `wanted`, by Tier: which tiers yield acks. The others are passed over in silence.
  explicit AckCursor(std::array<bool, 4> wanted);

  /// The stream was given `lsn`, which is above all before.
  void Add(Lsn lsn) { Add(lsn, lsn); }
  /// The same for first..last.
  void Add(Lsn first, Lsn last);

  /// The acks that are due, at most about `max_rows` rows, in the order in which they are to be
  /// sent. `reached` and `moved_at_us` are by Tier; of COMMITTED, `commits` decides.
  std::vector<protocol::AckRun> Take(const std::array<Lsn, 3>& reached,
                                     const std::array<int64_t, 4>& moved_at_us,
                                     const CommitLookup& commits, int64_t max_rows);

  /// Passes `tier` over in silence for LSNs up to `through`, now or later. Not further than the
  /// tier below has been passed over.
  void SkipThrough(Tier tier, Lsn through);

  /// The last LSN that was added; kNoLsn: none yet.
  Lsn last() const { return last_; }

  /// The first LSN that `tier` has not been taken for; kNoLsn where all have.
  Lsn FirstPending(Tier tier) const;

  /// Whether every LSN so far has been taken for every tier up to `tier`.
  bool AllTakenThrough(Tier tier) const;

  /// Writes that were forgotten because the client read no acks for too long.
  int64_t forgotten() const { return forgotten_; }

  /// Runs of LSNs that are kept.
  size_t runs() const { return runs_.size(); }
  /// Forgets the oldest run, and its acks with it. There must be one.
  void ForgetOldest();

  /// Runs of LSNs kept at most; the oldest go first, and their acks with them.
  static constexpr size_t kMaxRuns = 1 << 20;

 private:
  struct Run {
    Lsn first;
    Lsn last;
  };

  // The runs of LSNs above cursor `tier` and up to `through`, moved past.
  void Advance(Tier tier, Lsn through, int64_t timestamp_us, int64_t snapshot_id,
               int64_t* rows_left, std::vector<protocol::AckRun>* acks);
  void DropTaken();

  std::array<bool, 4> wanted_;
  std::deque<Run> runs_;
  std::array<Lsn, 4> taken_;       // by Tier: every own LSN at or below it has been taken
  std::array<size_t, 4> at_ = {};  // by Tier: the first run that may hold an LSN above taken_
  Lsn last_ = kNoLsn;
  int64_t stored_us_ = 0;  // the latest time told for OBJECT_STORAGE
  int64_t forgotten_ = 0;
};

}  // namespace arka::acks

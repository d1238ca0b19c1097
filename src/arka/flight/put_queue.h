// What a DoPut has still to be told: the LSNs of its batches, in the order of the batches.
//
// A pure value. LSNs are kept as runs, so a client that reads no results costs 24 bytes a write at
// most, and nothing more while it is the only writer. Invariant: what comes out is what went in, in
// that order; each LSN once for every time that it was added, and none before it was reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "arka/base/lsn.h"

namespace arka::flight {

class PutQueue {
 public:
  /// The next batch has `lsn`, which a retry may have in common with a batch before it.
  void Add(Lsn lsn);
  /// The next batch is a retry that was committed long ago, at or below `lsn`: it is due at once.
  void AddCommittedLongAgo(Lsn lsn);

  /// The LSN of the next batch where that has been `reached`, or is due anyway; and drops it.
  std::optional<Lsn> Take(Lsn reached);

  /// The LSN that the next batch waits for; kNoLsn: none waits, or it is due anyway.
  Lsn awaited() const;
  bool empty() const { return runs_.empty(); }
  size_t runs() const { return runs_.size(); }

  /// Runs kept at most; the oldest go first.
  static constexpr size_t kMaxRuns = 1 << 20;

 private:
  struct Run {
    Lsn first;
    int64_t count;  // of batches
    bool long_ago;  // all have the LSN `first`; else first, first + 1, …
  };

  void Push(Run run);

  std::deque<Run> runs_;
};

}  // namespace arka::flight

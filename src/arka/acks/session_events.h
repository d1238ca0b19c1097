// The ack events of a session, as its streams would tell them to a client that comes back.
//
// Of LSNs above `after_lsn` every tier is told; of those at or below it, and of a stream that has
// ended, what came after the stream's end (less a slack, for what was on its way then). For one LSN
// of one stream tiers come in order, none early. A pure value; `times`, `commits` and the progress
// that it is given say how far the server is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "arka/acks/ack_cursor.h"
#include "arka/acks/ack_cursors.h"
#include "arka/acks/session_registry.h"

namespace arka::acks {

class SessionEvents {
 public:
  /// `times` is asked while this is made, and by Take.
  SessionEvents(const std::vector<SessionWrites>& writes, Lsn after_lsn, TimeLookup times);

  /// Events that are due, at most about `max_events`; none: nothing is due.
  std::vector<protocol::AckRun> Take(const ReachedTiers& reached, int64_t max_events);

  /// Whether everything has been told up to `tier`.
  bool AllTakenThrough(Tier tier) const;

  /// The events of LSNs up to here may not be complete: too many runs to keep them all.
  Lsn forgotten_through() const { return forgotten_through_; }

  /// What is still to come, for who wants to wait for it: the lowest LSN of each table.
  struct Pending {
    const ingest::Table* table;
    Lsn lsn;
  };
  std::vector<Pending> PendingAt(Tier tier) const;

 private:
  struct Part {
    const ingest::Table* table;
    AckCursor cursor;
  };

  // Ends after a block of LSNs, so that the block's events have times of their own.
  std::vector<protocol::AckRun> TakeBlock(Part& part, const ReachedTiers& reached,
                                          int64_t max_events) const;

  const TimeLookup times_;
  std::vector<Part> parts_;
  Lsn forgotten_through_ = kNoLsn;
};

}  // namespace arka::acks

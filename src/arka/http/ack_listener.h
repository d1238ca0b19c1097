// What a listener of a session still has to be told, across all streams of the session, those that
// write on and those that come.
//
// Every LSN that the session is given is told every level once, in order, none early; where a
// listener comes back with its position, what it was told before is left out. A position lags a
// second behind, so that an LSN whose stream tells of it late is not left out: what was told in
// that second is told again. Not thread-safe; never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "arka/acks/session_events.h"
#include "arka/acks/session_registry.h"
#include "arka/http/ack_position.h"
#include "arka/ingest/engine.h"
#include "arka/ingest/lsn_ranges.h"
#include "arka/io/clock.h"
#include "arka/protocol/ack_batch.h"

namespace arka::http {

class AckListener {
 public:
  /// All must outlive the listener.
  AckListener(const ingest::Engine& engine, const acks::SessionRegistry& sessions,
              const Clock& clock, std::string principal, std::string session, AckPosition told);

  /// Looks what the session was given since. kNotFound where it is forgotten.
  Status Look();

  /// What is due, at most about `max_events`; none: nothing is due.
  std::vector<protocol::AckRun> Take(int64_t max_events);

  /// Where to go on later.
  AckPosition position();

  bool AllTold() const { return open_.empty(); }

  /// LSNs up to here may be missing: the session was given too many to keep them all.
  Lsn forgotten_through() const { return forgotten_through_; }

 private:
  AckPosition PositionNow() const;
  void LeaveOutTold(std::vector<protocol::AckRun>& runs) const;

  const ingest::Engine& engine_;
  const acks::SessionRegistry& sessions_;
  const Clock& clock_;
  const std::string principal_;
  const std::string session_;
  const AckPosition told_before_;
  ingest::LsnRanges known_;  // of the session's LSNs, those that are in open_ or were
  Lsn last_ = kNoLsn;        // of them
  Lsn forgotten_through_ = kNoLsn;
  std::list<acks::SessionEvents> open_;
  std::deque<std::pair<SteadyTime, AckPosition>> positions_;  // of the last second
};

}  // namespace arka::http

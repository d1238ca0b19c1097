// Makes a damaged log one that a start takes again, from every record that is provably whole.
//
// Keeps what VerifyLog found whole, before and behind the damage: a record counts where the chain
// of CRCs from its segment's header, or from a group header proven by its anchor, leads to it. What
// is lost stays a gap in the LSNs; no LSN is given again. The steps:
//  1. the whole records are written as a new log into `directory`.repair, with segment numbers
//     above all old ones;
//  2. that log is verified, and marked as complete;
//  3. it takes the old log's place, whose files go to the directory `aside` (log_exchange.h).
// A repair that ends early is finished by the next one; until then Log::Open refuses. Needs room
// for a second log. The new log says of itself that it is incomplete, up to the last LSN known to
// be lost: before it is opened, log objects should give back what they have (log_refill.h). The
// data directory's lock is the caller's.
#pragma once

#include <string>
#include <vector>

#include "arka/io/clock.h"
#include "arka/wal/log_verifier.h"

namespace arka::wal {

/// What a repair of the log in the report does.
struct RepairPlan {
  bool needed = false;       // a start refuses the log as it is
  bool interrupted = false;  // an earlier repair waits to be finished: nothing more is lost by that
  int64_t kept_writes = 0;
  int64_t kept_bytes = 0;   // of segments with whole records: room that the new log may take
  std::vector<Hole> holes;  // what is lost
  /// Of these holes together; at most.
  int64_t lost_writes = 0;
  /// LSNs from here on are given next.
  Lsn reserved_through = kNoLsn;
};

/// Changes nothing. Errors as VerifyLog.
Result<RepairPlan> PlanRepair(Fs& fs, const std::string& directory);

/// Repairs the log in `directory`; the old files are in `aside` afterwards. OK and nothing done
/// where no repair is needed. An error leaves the log as it was, or a repair to be finished.
Status RepairLog(Fs& fs, Clock& clock, const std::string& directory, const std::string& aside);

/// kCorruption where a repair was interrupted at a moment from which only a repair leads on.
Status CheckNoRepairPending(Fs& fs, const std::string& directory);

}  // namespace arka::wal

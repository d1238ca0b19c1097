// Gives a repaired log the writes back that it lost and log objects still have.
//
// A repair works on what the disk has, and marks the log as incomplete (log_repair.h). Before such
// a log is opened the start of the server looks into the object store; this merges what is there
// into the log, in the order of the LSNs: a write keeps its LSN, producer, seq and bytes, and one
// that the log has is taken from the log. The result is written beside the log and takes its place
// (log_exchange.h), so that it can be cut short anywhere and done again. Needs room for a second
// log. The data directory's lock is the caller's; for one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/buffer.h>

#include "arka/wal/log.h"
#include "arka/wal/log_report.h"

namespace arka::wal {

/// Says of the log in `directory`, which ended before `given_through` and looks whole, that it is
/// incomplete: its end was lost without a trace, or it is an older copy. New LSNs will be far
/// above.
Status MarkIncomplete(Fs& fs, const std::string& directory, Lsn given_through);

/// What a log that was repaired has, or nothing where the log in `directory` is not incomplete.
/// Finishes a refill that was cut short. Errors as VerifyLog; damage is left to Log::Open.
Result<std::optional<LogReport>> FindIncompleteLog(Fs& fs, const std::string& directory);

/// The next log object, in the order of their first LSNs, or null after the last.
using ObjectSupply = std::function<Result<std::shared_ptr<arrow::Buffer>>()>;

/// Merges the objects into the log of `report`, which FindIncompleteLog answered, and ends its
/// being incomplete. `options` are those that it will be opened with. LSNs up to `given_through`
/// were given: new ones are above that, and far above where the log did not know of them. Answers
/// the number of writes that came back. kCorruption where an object is damaged or another node's.
Result<int64_t> RefillLog(Fs& fs, Clock& clock, const LogOptions& options, const LogReport& report,
                          const ObjectSupply& next_object, Lsn given_through);

}  // namespace arka::wal

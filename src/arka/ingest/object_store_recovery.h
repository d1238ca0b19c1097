// A machine whose disk is gone starts over from the object store: everything that was acknowledged
// at OBJECT_STORAGE is in log objects or committed, and comes back with its LSN.
//
// Runs before the log is opened, on an empty log directory; makes a log there out of the node's
// objects (wal/log_import.h), which the ordinary start then replays. Where only a part of the log
// was lost and the rest repaired, they give it back what they have of that part. LSNs that were
// given but never uploaded are lost with the disk; they are never given again: the new log begins
// far above.
#pragma once

#include <cstdint>
#include <string>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/io/object_store.h"
#include "arka/wal/log.h"

namespace arka::ingest {

/// How far above the last LSN that store and catalog know a recovered server goes on: more than a
/// server can have given in weeks in which it could not upload.
inline constexpr int64_t kRecoveredLsnGap = int64_t{1} << 40;

/// Fails where the log directory is empty although the node has writes in the object store:
/// starting there would give their LSNs again and leave them behind. kInvalidRequest, saying what
/// to do.
Status CheckLogIsNotMissing(Fs& fs, const std::string& log_directory, ObjectStore& objects,
                            const std::string& node);

/// Makes the log of `options.node` in `options.directory` out of what store and catalog have. OK,
/// changing nothing, where a log is there. Can be cut short anywhere and run again.
Status RecoverLogFromObjectStore(Fs& fs, Clock& clock, ObjectStore& objects,
                                 iceberg::Catalog& catalog, const wal::LogOptions& options);

/// After `arka wal repair`: gives the log in `options.directory` the writes back that it lost and
/// the object store has, and lets LSNs begin above all that store, catalog and checkpoints know.
/// Before anything else looks at the directory. OK, changing nothing, where the log was not
/// repaired; can be cut short anywhere and run again. kCorruption where a repair was interrupted.
Status CompleteRepairedLog(Fs& fs, Clock& clock, ObjectStore& objects, iceberg::Catalog& catalog,
                           const wal::LogOptions& options);

}  // namespace arka::ingest

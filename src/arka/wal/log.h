// The write-ahead log: gives every write its LSN and makes it durable, many at a time.
//
// Appenders hand records over from any thread and go on; one log thread frames all that is pending,
// writes it with one call, syncs, and reports the new disk LSN (group commit). The log sees bytes,
// not batches. The format is docs/spec/log.md. The data directory's lock is the caller's.
// Invariants: an LSN that Append ever returned is never returned again, also after a crash;
// OnDurable is called only after a sync that covers the LSN returned OK; after a failed sync
// nothing is acknowledged any more (the log is poisoned).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"

namespace arka::wal {

/// Names a table with its schema inside the log; given out by the caller, never reused for others.
struct DefinitionId {
  uint32_t value = 0;
  auto operator<=>(const DefinitionId&) const = default;
};

/// What records of that id mean; opaque to the log, repeated in every segment and object using it.
struct Definition {
  DefinitionId id;
  std::shared_ptr<arrow::Buffer> bytes;
};

/// One write: an Arrow IPC message as it came, and who sent it.
struct WriteRecord {
  Lsn lsn;  // given by Append
  DefinitionId definition;
  std::string producer;  // empty: none
  int64_t seq = 0;       // 0: none
  int64_t epoch = 0;     // of the producer; 0: none
  WallTime timestamp;
  std::shared_ptr<arrow::Buffer> header;  // the IPC message's metadata flatbuffer
  std::shared_ptr<arrow::Buffer> body;    // its body; 64-byte aligned in file and object
};

/// Receives what a start found in the log, oldest first. Bodies are slices of what was read.
class ReplayVisitor {
 public:
  virtual ~ReplayVisitor() = default;
  /// Before anything else: the log holds every durable write above `after`.
  virtual Status OnBegin(Lsn after) { return Status::OK(); }
  virtual Status OnDefinition(const Definition& definition) = 0;
  virtual Status OnWrite(WriteRecord record) = 0;
  /// Every few megabytes and at the end of each segment: cheap to take, so that the receiver can
  /// choose how often to say it. `bytes_done` counts what needs no more reading.
  virtual void OnProgress(int64_t bytes_done, int64_t bytes_total) {}
};

/// Hears of the log's progress, on the log's thread; must be quick.
class LogListener {
 public:
  virtual ~LogListener() = default;
  /// Every LSN <= `disk_lsn` is on disk.
  virtual void OnDurable(Lsn disk_lsn) = 0;
  /// The disk has no room for what comes next, as `reason` says. It is tried again until there is;
  /// the next OnDurable says that there was. Told once for each time.
  virtual void OnNoRoom(const Status& reason) = 0;
  /// A write or sync failed for good; nothing after the last OnDurable is or becomes durable.
  virtual void OnPoisoned(const Status& error) = 0;
};

struct LogOptions {
  std::string directory;
  std::string node = "node-1";  // in every segment's header
  int64_t segment_bytes = 64 << 20;
  int spare_segments = 2;       // pre-written ahead
  int recycled_segments = 16;   // released ones kept to be written again
  int64_t max_bytes = 0;        // on disk, see Log::retained_bytes; 0: no bound
  int64_t keep_free_bytes = 0;  // of the file system, by growing; 0: takes what there is
  int copies_on_disk = 0;       // that others make there of its writes before it can be released
  int64_t lsn_block = 1 << 20;  // LSNs reserved at a time
  std::chrono::microseconds flush_interval{0};  // longest wait for company; 0: sync as soon as free
  int64_t max_group_bytes = 16 << 20;
};

/// Bytes of the log made into one immutable object, readable alone (docs/spec/log.md).
struct LogObject {
  Lsn first_lsn;
  Lsn last_lsn;
  std::vector<std::shared_ptr<arrow::Buffer>> parts;
};

class Log {
 public:
  /// Opens or creates the log in `options.directory`, cuts a torn tail off, and shows `visitor`
  /// everything that is there. kCorruption, naming segment and offset, where the damage is not a
  /// torn tail; nothing was changed then. `fs` and `clock` must outlive the log.
  static Result<std::unique_ptr<Log>> Open(Fs& fs, Clock& clock, LogOptions options,
                                           ReplayVisitor& visitor);
  /// Closes without a final sync; see Close.
  virtual ~Log() = default;

  /// Starts the log thread. `listener` must outlive the log.
  virtual void Start(LogListener& listener) = 0;

  /// Instead of Start, for tests and simulations: one round of what the log's threads do, on the
  /// caller's. A group where records wait; else the log's end is marked, and a piece of a spare
  /// segment written. Errors are final, as the listener hears; a full disk is none.
  virtual Status Step(LogListener& listener) = 0;

  /// Makes `definition` known; before the first Append that names it. Idempotent. Thread-safe.
  virtual Status Define(const Definition& definition) = 0;

  /// Queues `record` and answers its LSN. Never waits for the disk, but for the rare moment when a
  /// block of LSNs is used up. Thread-safe. kShuttingDown after Close, the first error once
  /// poisoned.
  virtual Result<Lsn> Append(WriteRecord record) = 0;

  /// The last LSN given; kNoLsn before the first (or the last of the previous run).
  virtual Lsn last_lsn() const = 0;
  /// The LSN that Append gives next; after a crash there is a gap before it.
  virtual Lsn next_lsn() const = 0;
  /// One more at every start of the log.
  virtual int64_t epoch() const = 0;
  virtual Lsn disk_lsn() const = 0;
  /// Bytes appended and not yet durable.
  virtual int64_t pending_bytes() const = 0;
  /// All bytes that segments take on disk: those in use and the spares, new or released. The log
  /// keeps them within LogOptions::max_bytes by doing without spares, for as long as used_bytes()
  /// is within it; it never refuses a record itself.
  virtual int64_t retained_bytes() const = 0;
  /// Bytes of the segments in use: those that hold records not yet released, and the one being
  /// written, all of it. Falls only when Release lets a whole segment go. Records whose frames fit
  /// in the rest of the active segment do not raise it; others do by segment_bytes or, for a
  /// record that needs a larger segment, by that segment. So who admits while used_bytes() +
  /// pending_bytes() + segment_bytes <= max_bytes stays within it.
  virtual int64_t used_bytes() const = 0;

  /// The durable records after `after`, up to about `max_bytes`, as one object; empty `parts` where
  /// there are none. Reads from the segments; thread-safe beside the log thread.
  virtual Result<LogObject> ReadObject(Lsn after, int64_t max_bytes) = 0;

  /// Records <= `through` are no longer needed: their segments may be recycled.
  virtual Status Release(Lsn through) = 0;

  /// Returns once everything appended before is durable.
  virtual Status Flush() = 0;

  /// Flush, hand back the unused LSNs of the block, stop the thread. Idempotent.
  virtual Status Close() = 0;
};

}  // namespace arka::wal

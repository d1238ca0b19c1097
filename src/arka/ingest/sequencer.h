// Where a write becomes a write: gets its LSN, goes into the log and into its table's queue, as one
// step, so that both hold the same writes in the same order.
//
// Also the one place that knows how far everything is (DurabilityTracker) and tells those who wait.
// Owned by the Engine. Thread-safe: event loops sequence, the log thread, the uploader and the
// committer report.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "arka/base/error.h"
#include "arka/ingest/durability_tracker.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/ingest/table.h"
#include "arka/io/clock.h"
#include "arka/wal/log.h"

namespace arka::ingest {

/// How far the log is, and when (microseconds since the epoch) each tier last moved, by Tier.
struct Progress {
  protocol::Watermarks watermarks;
  std::array<int64_t, 4> moved_at_us = {};
  int64_t commits = 0;  // commits so far, of all tables
  bool failed = false;  // the log is poisoned: nothing more is acknowledged
};

class Sequencer : public wal::LogListener {
 public:
  explicit Sequencer(Clock& clock) : clock_(clock) {}

  /// Before anything else: replayed writes to their tables, oldest first, then Begin.
  void Restore(Table& table, BufferedWrite write);
  /// A replayed write to a table that is gone: it is never committed, and the log keeps it.
  void Hold(Lsn lsn);
  /// The log is open and replayed up to log.last_lsn(); what is <= `s3_lsn` is in the object store.
  /// `log` must outlive the sequencer.
  void Begin(wal::Log& log, Lsn s3_lsn);

  /// Called after every move of a watermark, outside the lock, on the thread that moved it; must be
  /// quick. Register before Begin.
  void AddListener(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

  /// Gives `write` its LSN. `charged_bytes` are held for it until a data file has the rows.
  Result<Lsn> Sequence(Table& table, wal::DefinitionId definition, DecodedWrite write,
                       int64_t charged_bytes);

  /// Everything sequenced for `table` since the last call.
  std::vector<BufferedWrite> TakePending(Table& table);

  void OnDurable(Lsn disk_lsn) override;
  void OnPoisoned(const Status& error) override;
  void OnObjectStorage(Lsn s3_lsn);
  /// Every write to `table` up to `event.through` is committed; the committer still holds writes
  /// from `next_held` on (kNoLsn: none).
  void OnCommitted(Table& table, const CommitEvent& event, Lsn next_held);

  Progress progress() const;
  /// Whether all is committed that ever can be: see DurabilityTracker.
  bool all_landed() const;
  /// Age of the oldest write that has not reached the object store, to about 10 ms; 0: none.
  double lag_seconds() const;
  /// Why nothing is acknowledged any more; OK while the log works.
  Status failure() const;

 private:
  struct Sample {
    Lsn lsn;
    WallTime at;
  };

  void NoteTime(Lsn lsn, WallTime now);
  void Moved(Tier tier);
  void Tell();

  Clock& clock_;
  std::vector<std::function<void()>> listeners_;  // constant after Begin
  wal::Log* log_ = nullptr;                       // constant after Begin

  mutable std::mutex mutex_;
  DurabilityTracker tracker_;
  std::map<TableId, Lsn> restored_;  // the first restored write of each table; until Begin
  std::array<int64_t, 4> moved_at_us_ = {};
  std::deque<Sample> not_uploaded_;  // when some writes came, oldest first
  int64_t commits_ = 0;
  Status failure_;
};

}  // namespace arka::ingest

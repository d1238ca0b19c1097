// Where a write becomes a write: gets its LSN, goes into the log and into its table's queue, as one
// step, so that both hold the same writes in the same order.
//
// Also the one place that knows how far everything is (DurabilityTracker) and tells those who wait.
// Owned by the Engine. Thread-safe: event loops sequence, the log thread, the uploader and the
// committer report.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "arka/base/error.h"
#include "arka/ingest/backlog.h"
#include "arka/ingest/durability_tracker.h"
#include "arka/ingest/lsn_ranges.h"
#include "arka/ingest/memory_budget.h"
#include "arka/ingest/producer_checkpoint.h"
#include "arka/ingest/producer_table.h"
#include "arka/ingest/running_clock.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/ingest/table.h"
#include "arka/ingest/tier_history.h"
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

/// What became of a producer's write.
struct Admission {
  Lsn lsn;
  bool is_retry = false;  // it had been written before, under this LSN
  /// So long ago that its own LSN is forgotten: it is committed, and `lsn` is an upper bound of it.
  bool committed_long_ago = false;
};

/// The last write that is known of a producer in a table.
struct LastSeq {
  int64_t seq = 0;  // 0: nothing is known, the first is 1
  Lsn lsn = kNoLsn;
  /// Where nothing is known: as ProducerTable::forgotten_through.
  Lsn forgotten_through = kNoLsn;
};

/// A producer that was claimed: for whoever goes on under its name.
struct ProducerClaim {
  int64_t epoch = 0;  // never given before; above all that were
  LastSeq last;       // no write under a lower epoch comes after it
};

struct SequencerOptions {
  ProducerTableOptions producers;
  std::chrono::milliseconds acks_retention{300'000};  // how long back ReachedAt is exact
};

class Sequencer : public wal::LogListener {
 public:
  /// Both must outlive the sequencer.
  Sequencer(Clock& clock, MemoryBudget& budget, SequencerOptions options = {})
      : clock_(clock), budget_(budget), running_(clock.Now()), producers_(options.producers) {
    histories_.fill(TierHistory(options.acks_retention));
  }

  /// Before anything else: every replayed write that no snapshot holds, of about `bytes`, oldest
  /// first, then Begin. Their rows stay in the log, as a backlog.
  void Restore(Table& table, Lsn lsn, int64_t bytes);
  /// A replayed write, of about `bytes`, to a table that is gone: the log keeps it.
  void Hold(Table& table, Lsn lsn, int64_t bytes);
  /// What a checkpoint held; then the log above it:
  void RestoreCheckpoint(ProducerCheckpoint checkpoint);
  /// Every replayed write of a producer, oldest first, committed or not; errors as
  /// ProducerTable::Replay.
  Status RestoreSeq(const std::string& producer, const std::string& table_uuid, int64_t seq,
                    Lsn lsn, int64_t epoch);
  /// LSNs that are in no log although later ones are: never durable.
  void RestoreLost(LsnRange lost);
  /// LSNs that the log may still hold and that nobody shall have any more: lost from now on, once a
  /// checkpoint says so. Their seqs stay known, and are refused when they are sent again.
  void RestoreGivenUp(LsnRange given_up);
  /// The log is open and replayed up to log.last_lsn(); what is <= `s3_lsn` is in the object store.
  /// `log` must outlive the sequencer.
  void Begin(wal::Log& log, Lsn s3_lsn);

  /// Called after every move of a watermark, outside the lock, on the thread that moved it; must be
  /// quick. Register before Begin.
  void AddListener(std::function<void()> listener) { listeners_.push_back(std::move(listener)); }

  /// Gives `write` its LSN and takes its rows over; after an error `write` is untouched.
  /// `charged_bytes` are held for it until a data file has the rows; where memory is nearly full
  /// the rows are let go of, and the bytes given back once it is durable.
  Result<Lsn> Sequence(Table& table, wal::DefinitionId definition, DecodedWrite& write,
                       int64_t charged_bytes);

  /// The handle for a producer's writes to a table under `epoch`; errors as ProducerTable::Open.
  Result<std::shared_ptr<Producer>> OpenProducer(const std::string& name,
                                                 const std::string& table_uuid, int64_t epoch);
  /// From now on what the producer writes to that table under lower epochs is refused; a table that
  /// is not there yet ("") has no such writes. Errors as ProducerTable::Open.
  Result<ProducerClaim> ClaimProducer(const std::string& name, const std::string& table_uuid);
  /// As Sequence, where `seq` is the next one of `producer`; a seq that it wrote before is answered
  /// and nothing is written or held. Other errors as ProducerTable::Judge.
  Result<Admission> SequenceOnce(Table& table, wal::DefinitionId definition, DecodedWrite& write,
                                 int64_t charged_bytes, Producer& producer, int64_t seq,
                                 int64_t epoch);
  /// What SequenceOnce would answer without a new write: the retry or the error; nothing where
  /// `seq` is new.
  Result<std::optional<Admission>> FindRetry(Producer& producer, int64_t seq, int64_t epoch);
  /// Whether anything is known that the log alone must not be asked for: producers, lost LSNs.
  bool needs_checkpoint() const;
  /// What was known when `through` was the last LSN; it must be between committed_lsn and last_lsn.
  /// Holds the lock for moments only. One call at a time.
  ProducerCheckpoint CheckpointAt(Lsn through);
  /// Counts the time that the server runs; to be called at least every RunningClock::kMaxStep.
  void PassTime();
  /// As ProducerTable::TakeCommitRequest.
  bool TakeCommitRequest();
  LastSeq LastSeqOf(const std::string& name, const std::string& table_uuid);

  /// What was sequenced for `table` since the last call and kept in memory, through the last write
  /// that is on disk; nothing while a backlog before it is still to be read.
  std::vector<BufferedWrite> TakePending(Table& table);

  Backlog backlog() const;
  /// The rows up to `through`, of about `bytes`, were read back. Answers what is left.
  Backlog OnReadBack(Lsn through, int64_t bytes);
  /// Writes from now on are kept in memory again: there is little left to read, and room for it.
  Backlog CloseBacklog();

  void OnDurable(Lsn disk_lsn) override;
  void OnNoRoom(const Status& reason) override;
  void OnPoisoned(const Status& error) override;
  void OnObjectStorage(Lsn s3_lsn);
  /// Every write to `table` up to `event.through` is committed; the committer still holds writes
  /// from `next_held` on (kNoLsn: none).
  void OnCommitted(Table& table, const CommitEvent& event, Lsn next_held);

  /// After it no write to `table` gets an LSN that Table::CheckTakesWrites refuses now; answers the
  /// last one that it was given.
  Lsn Settle(const Table& table) const;
  /// The first write to `table` that is not committed, or a lower bound of it; kNoLsn: none is.
  Lsn FirstUncommitted(const Table& table) const;

  /// The catalog does not have the table (any more), or has it again.
  void SetGone(const Table& table, bool gone);

  Progress progress() const;
  /// Whether all is committed that ever can be: see DurabilityTracker.
  bool all_landed() const;
  /// Age of the oldest write that has not reached the object store, to about 10 ms; 0: none.
  double lag_seconds() const;
  /// The highest tier that `lsn` is known to have reached; nothing where a crash took it before it
  /// was durable. kNotFound where it was never given.
  Result<std::optional<Tier>> LevelOf(Lsn lsn) const;
  /// When `lsn` reached `tier`, which is not COMMITTED, or up to 10 ms later; for what is older
  /// than the history, and for what was before a start, some time after. Nothing where it has not.
  std::optional<WallTime> ReachedAt(Tier tier, Lsn lsn) const;
  /// Why nothing is acknowledged any more; OK while the log works.
  Status failure() const;

 private:
  struct Sample {
    Lsn lsn;
    WallTime at;
  };

  Result<Lsn> Append(Table& table, wal::WriteRecord record, DecodedWrite& write,
                     int64_t charged_bytes);
  Result<std::optional<Admission>> JudgeLocked(const Producer& producer, int64_t seq,
                                               int64_t epoch);
  LastSeq LastSeqLocked(const std::string& name, const std::string& table_uuid) const;
  RunningTime Running();
  // Where the rows of a write go that has just got its LSN.
  void Place(Table& table, BufferedWrite write);
  // The first write to `table`, or a lower bound of it, that is not in the committer's hands.
  Lsn FirstHeld(const Table& table) const;
  void NoteTime(Lsn lsn, WallTime now);
  void Moved(Tier tier, WallTime now);
  void Tell();

  Clock& clock_;
  MemoryBudget& budget_;
  std::vector<std::function<void()>> listeners_;  // constant after Begin
  wal::Log* log_ = nullptr;                       // constant after Begin

  mutable std::mutex mutex_;
  DurabilityTracker tracker_;
  RunningClock running_;
  ProducerTable producers_;
  int64_t last_epoch_ = 0;  // given to a claim, or of a write
  std::set<TableId> held_;  // tables that are gone; until Begin
  Backlog backlog_;
  std::deque<std::pair<Lsn, int64_t>> undurable_;  // charges of writes that are not kept
  std::map<TableId, Lsn> restored_;  // the first restored write of each table; until Begin
  Lsn last_restored_ = kNoLsn;       // of those with a table; until Begin
  int64_t restored_bytes_ = 0;       // until Begin
  LsnRanges lost_;                   // may reach above last_lsn, up to the first one of this run
  Lsn given_up_through_ = kNoLsn;    // what is lost up to here is in every checkpoint
  std::array<int64_t, 4> moved_at_us_ = {};
  std::array<TierHistory, 3> histories_;  // of the tiers below COMMITTED
  std::deque<Sample> not_uploaded_;       // when some writes came, oldest first
  int64_t commits_ = 0;
  bool no_room_ = false;  // on the log's disk
  Status failure_;
};

}  // namespace arka::ingest

// What is known of each producer: which of its writes are in the log, and under which LSNs.
//
// A producer numbers its writes to a table 1, 2, 3 …; a number that is here was written and is not
// written again. A program that goes on under the name of an earlier one claims it first, under an
// epoch: what the earlier one still has on the way is refused, and is never taken for, or takes,
// the place of what the later one writes. Pure: no clock, lock or I/O. Owned by the Sequencer,
// under its lock, which makes the look and the append one step; what is here is always what the log
// says, and a start rebuilds it from a checkpoint and the records above it (ProducerCheckpoint,
// Recovery). Invariants: the LSN of a write that is not yet committed is never forgotten; a
// producer is forgotten only to make room, and only when it has not written for expire_after.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/ingest/running_clock.h"

namespace arka::ingest {

/// Consecutive seqs that have consecutive LSNs.
struct SeqRun {
  int64_t first_seq = 0;
  Lsn first_lsn;
  int64_t count = 0;

  int64_t last_seq() const { return first_seq + count - 1; }
  Lsn last_lsn() const { return Lsn{first_lsn.value + count - 1}; }
  bool operator==(const SeqRun&) const = default;
};

/// All that is known of one producer in one table.
struct ProducerState {
  std::string name;
  std::string table_uuid;      // a table that is dropped and made again is another one
  RunningTime last_write{0};   // or later
  int64_t forgotten_seq = 0;   // the LSNs of the seqs up to here are forgotten; all committed
  Lsn forgotten_lsn = kNoLsn;  // of the newest of them: no forgotten LSN is above
  // Of the seqs above forgotten_seq: of every one, but for those that a repair of the log lost.
  std::vector<SeqRun> runs;
  int64_t epoch = 0;         // under which the last write was made
  int64_t before_epoch = 0;  // the seqs up to here were written under lower ones

  int64_t last_seq() const { return runs.empty() ? forgotten_seq : runs.back().last_seq(); }
  Lsn last_lsn() const { return runs.empty() ? forgotten_lsn : runs.back().last_lsn(); }
  bool operator==(const ProducerState&) const = default;
};

/// One producer in one table, as a stream holds it. Its state is the ProducerTable's.
class Producer {
 public:
  Producer(std::string name, std::string table_uuid);

  const std::string& name() const { return state_.name; }
  /// A hint, for a look without the sequencer's lock: it may have moved since. Thread-safe.
  int64_t last_seq() const { return last_seq_.load(std::memory_order_relaxed); }

 private:
  friend class ProducerTable;
  ProducerState state_;
  int64_t claimed_ = 0;  // the epoch below which nothing is written any more
  std::atomic<int64_t> last_seq_{0};
};

struct ProducerTableOptions {
  int64_t max_producers = 100'000;  // pairs of producer and table
  // Without a write, a producer is known for so long at least, and has LSNs of its retries.
  std::chrono::milliseconds expire_after = std::chrono::hours(168);
  size_t runs_kept = 1024;            // at least so many runs of each producer
  size_t max_runs = size_t{1} << 20;  // over all producers; as many again where not committed yet
};

class ProducerTable {
 public:
  using Key = std::pair<std::string, std::string>;  // table UUID, name

  explicit ProducerTable(ProducerTableOptions options = {}) : options_(options) {}

  /// The producer of that name in that table; a new one where it is unknown. From now on nothing is
  /// written under an epoch below `epoch`. kInvalidRequest for a name that is empty or longer than
  /// kMaxNameBytes, kBackpressure where there are too many, kFailedPrecondition where the producer
  /// was claimed under a higher epoch.
  Result<std::shared_ptr<Producer>> Open(const std::string& name, const std::string& table_uuid,
                                         RunningTime now, int64_t epoch = 0);
  /// What is known of a producer; nullptr where that is nothing.
  const ProducerState* Find(const std::string& name, const std::string& table_uuid) const;
  /// No producer that was forgotten had an LSN above; kNoLsn: none ever was.
  Lsn forgotten_through() const { return forgotten_through_; }

  enum class Verdict {
    kNew,        // to be appended, and then told to Record
    kRetry,      // was written, as `lsn`
    kForgotten,  // was written and committed long ago, as `lsn` or an LSN below
  };
  struct Judgement {
    Verdict verdict = Verdict::kNew;
    Lsn lsn = kNoLsn;
  };
  /// What a write with `seq` under `epoch` is. kInvalidRequest for a seq below 1 or above the next
  /// one, kNotFound for one that a repair of the log lost, kBackpressure where a new one could not
  /// be recorded, kFailedPrecondition where the producer was claimed under a higher epoch or the
  /// seq was written under a lower one.
  Result<Judgement> Judge(const Producer& producer, int64_t seq, int64_t epoch = 0);

  /// The new write that was judged last, with that `epoch`, has `lsn`, above all LSNs before.
  void Record(Producer& producer, int64_t seq, Lsn lsn, RunningTime now, int64_t epoch = 0);

  /// Writes up to `through` are committed: may be forgotten where there is need.
  void OnCommitted(Lsn through) { committed_ = through; }

  /// What was known when `through` was the last LSN, of up to `count` producers behind `after`
  /// (nothing: of the first), by rising key; sets `after` to the last one seen. From the first call
  /// until EndSnapshot nothing above `through` is forgotten, so the parts make one whole whatever
  /// is recorded between the calls.
  /// On the way the LSNs of those that have not written for long are forgotten.
  std::vector<ProducerState> Snapshot(Lsn through, std::optional<Key>* after, size_t count,
                                      RunningTime now);
  void EndSnapshot() { snapshot_.reset(); }

  /// A start puts back what a snapshot held, made at `now`, then what the log holds above it, in
  /// LSN order; a write whose seq does not follow is kCorruption: what came before it is missing.
  /// It may leave seqs out only where LSNs up to `last_lost` are lost and the producer has none
  /// above.
  void Restore(ProducerState state, RunningTime now);
  void RestoreForgotten(Lsn through) { forgotten_through_ = through; }
  Status Replay(const std::string& name, const std::string& table_uuid, int64_t seq, Lsn lsn,
                RunningTime now, Lsn last_lost = kNoLsn, int64_t epoch = 0);
  /// The highest epoch of a write that is known.
  int64_t max_epoch() const;

  /// Whether so much is uncommitted that a commit should not wait for its time; then false until
  /// more was committed.
  bool TakeCommitRequest() { return std::exchange(commit_wanted_, false); }

  bool empty() const { return producers_.empty(); }
  size_t size() const { return producers_.size(); }
  size_t run_count() const { return run_count_; }

  static constexpr size_t kMaxNameBytes = 128;

 private:
  Producer& Add(const Key& key);
  Status CheckEpoch(const Producer& producer, int64_t seq, int64_t epoch) const;
  Status Gap(const Producer& producer, int64_t seq) const;
  void Append(Producer& producer, int64_t seq, Lsn lsn, RunningTime now, int64_t epoch);
  void Reset(Producer& producer);
  void MakeRoomForProducers(RunningTime now);
  bool IsExpired(const ProducerState& state, RunningTime now) const;
  Lsn forgettable() const { return snapshot_ ? std::min(*snapshot_, committed_) : committed_; }
  void ForgetRuns(Producer& producer, size_t count);
  void TrimRuns(Producer& producer);
  void MakeRoomForRuns();

  const ProducerTableOptions options_;
  std::map<Key, std::shared_ptr<Producer>> producers_;
  size_t run_count_ = 0;
  Lsn committed_ = kNoLsn;
  Lsn forgotten_through_ = kNoLsn;
  std::optional<Lsn> snapshot_;    // while one is taken
  std::optional<Lsn> no_room_at_;  // forgetting through here made too little room
  bool commit_wanted_ = false;
  std::optional<RunningTime> swept_at_;  // when a full table was last looked through
};

}  // namespace arka::ingest

// The committer: turns the writes of every table into data files, and data files into snapshots.
//
// A loop of its own. It takes what the sequencer has queued, merges it into the table's buffer,
// writes a data file whenever a buffer has reached its size (so memory is bounded whatever the
// commit interval), and commits every table that has something, every interval or on demand. A
// commit never reaches beyond s3_lsn, so that tiers are reached in order. Everything that fails is
// logged and tried again; nothing is dropped.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/ingest/memory_budget.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/table.h"
#include "arka/ingest/table_buffer.h"
#include "arka/ingest/wake_signal.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"
#include "arka/lake/table_committer.h"

namespace arka::ingest {

struct CommitterOptions {
  std::chrono::milliseconds interval{60'000};
  int64_t max_buffer_bytes = 128 << 20;  // of one table, then a data file is written
};

class Committer {
 public:
  /// All must outlive the committer. `on_room` is called, on the committer's thread, when memory
  /// was given back that somebody had been refused.
  Committer(Sequencer& sequencer, lake::TableCommitter& tables, ObjectStore& warehouse,
            MemoryBudget& budget, Clock& clock, Random& random, CommitterOptions options,
            std::function<void()> on_room);
  ~Committer();

  /// Makes `table` known; before its first write is sequenced. Thread-safe.
  void AddTable(Table& table);

  /// Starts the loop, on a thread that gives way to those that take writes and sync the log.
  void Start();
  /// There is something to merge or s3_lsn moved.
  void Notify() { wake_.Notify(); }
  /// Commits everything that is sequenced by now as soon as it is in the object store.
  void CommitNow();
  /// Ends the loop; a commit that is being retried is given up, its outcome is found at next start.
  void Stop();

  /// One round: merge, write files that are due, commit what is due. Answers when to look again.
  SteadyTime Step();
  /// Replay only, before Start: merges what was restored and writes files that are full.
  Status Absorb(Table& table);

  /// What the last round of some table that fails now said; OK where all work.
  Status last_error() const;

 private:
  // A table's rows on their way to a snapshot. The loop's own.
  struct Landing {
    explicit Landing(Table& table);
    Table& table;
    TableBuffer buffer;
    std::vector<lake::StagedFile> staged;  // data files that no snapshot names yet, oldest first
    Lsn staged_through = kNoLsn;           // also where rows were none, and no file was written
    Lsn first_staged = kNoLsn;
    bool commit_due = false;
    bool sealed = false;      // what the due commit is to hold has been staged
    SteadyTime not_before{};  // back-off after a failure
    std::chrono::milliseconds backoff{0};
    Status error;  // of the last round; guarded by mutex_
  };

  Status Merge(Landing& landing);
  Status StageAll(Landing& landing);
  Status Commit(Landing& landing);
  Status Land(Landing& landing, Lsn s3_lsn);
  void Settle(Landing& landing, Status status);
  void StepTable(Landing& landing, Lsn s3_lsn, SteadyTime now);
  // Memory is tight: the largest buffer becomes a data file though it is not full.
  void MakeRoom(const std::vector<Landing*>& landings);
  void GiveBack(int64_t bytes);
  std::vector<Landing*> Landings();

  Sequencer& sequencer_;
  lake::TableCommitter& tables_;
  ObjectStore& warehouse_;
  MemoryBudget& budget_;
  Clock& clock_;
  Random& random_;
  const CommitterOptions options_;
  const std::function<void()> on_room_;

  WakeSignal wake_;
  std::atomic<bool> commit_now_{false};
  SteadyTime next_commit_;  // the loop's own
  mutable std::mutex mutex_;
  std::map<TableId, std::unique_ptr<Landing>> landings_;  // the map is guarded by mutex_
  std::jthread thread_;
};

}  // namespace arka::ingest

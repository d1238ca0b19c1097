// The committer: turns the writes of every table into data files, and data files into snapshots.
//
// A loop of its own. It takes what the sequencer has queued, merges it into the table's buffer,
// writes a data file whenever a buffer has reached its size (so memory is bounded whatever the
// commit interval), and commits every table that has something, every interval or on demand. What
// is in the log only (ingest/backlog.h) it reads back as fast as it has room for the rows. A
// commit never reaches beyond s3_lsn, so that tiers are reached in order. Commits are jobs of a few
// threads, one a table at a time: a catalog that hangs on one table delays no other, nor the loop.
// A job has the data files handed over, and gives them back where it fails. Everything that fails
// is logged and tried again with back-off, table by table; nothing is dropped.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/iceberg/data_file.h"
#include "arka/ingest/log_replayer.h"
#include "arka/ingest/memory_budget.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/table.h"
#include "arka/ingest/table_buffer.h"
#include "arka/ingest/wake_signal.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"
#include "arka/lake/table_committer.h"
#include "arka/protocol/server_status.h"

namespace arka::ingest {

struct CommitterOptions {
  std::chrono::milliseconds interval{60'000};
  int64_t max_buffer_bytes = 128 << 20;  // of one table, then a data file is written
  int commit_threads = 4;                // tables that are committed at a time
};

class Committer {
 public:
  /// All must outlive the committer. `look` looks in the catalog for a table that is gone
  /// (TableRegistry::Look).
  Committer(Sequencer& sequencer, lake::TableCommitter& tables, ObjectStore& warehouse,
            MemoryBudget& budget, Clock& clock, Random& random, CommitterOptions options,
            std::function<Status(Table&)> look);
  ~Committer();

  /// Makes `table` known; before its first write is sequenced. Thread-safe.
  void AddTable(Table& table);

  /// Where a backlog, and rows that have to be staged anew, are read from; before Start or Step.
  void ReadFrom(const LogReplayer& replayer) { replayer_ = &replayer; }

  /// Starts the loop, on a thread that gives way to those that take writes and sync the log.
  void Start();
  /// There is something to merge or s3_lsn moved.
  void Notify() { wake_.Notify(); }
  /// Commits everything that is on disk by now, of `table` or (nullptr) of all tables, as soon as
  /// it is in the object store. Thread-safe.
  void CommitNow(const Table* table = nullptr);
  /// Ends the loop and waits for the commits under way; what came of them the next start finds.
  void Stop();
  /// Commits under way: calls of the catalog and the warehouse that have not returned yet.
  int commits_under_way() const { return commits_under_way_; }

  /// One round: merge, write files that are due, commit what is due. Answers when to look again.
  /// Without Start, commits run within it.
  SteadyTime Step();
  /// How every table is, those that fail first; at most `limit` of them.
  std::vector<protocol::TableStatus> tables(size_t limit) const;
  /// What the last round of some table that fails now said; OK where all work.
  Status last_error() const;

 private:
  // When to try again what has failed, and why it did.
  struct Retry {
    SteadyTime not_before{};
    std::chrono::milliseconds backoff{0};
    Status error;      // guarded by mutex_
    WallTime since{};  // when the first of the errors in a row came; guarded by mutex_
  };

  // Writes after < LSN <= through, whose rows are in the log only.
  struct LogRange {
    Lsn after;
    Lsn through;
  };

  // What is being committed; while the job runs it belongs to the job's thread.
  struct Job {
    Job();                                // not here: Clang refuses the optional of it in Landing
    std::optional<LogRange> reread;       // first of all, to files that go before the others
    std::vector<lake::StagedFile> files;  // oldest first; may be none, where there were no rows
    int64_t writes = 0;
    int64_t bytes = 0;
    Lsn first_lsn;
    Lsn through;
    Lsn newest_lsn;
    int64_t times_found = 0;  // the table, before
    Result<lake::CommitOutcome> outcome = lake::CommitOutcome{};
  };

  // A table's rows on their way to a snapshot. The loop's own.
  struct Landing {
    explicit Landing(Table& table);
    // The first write that is staged or buffered, and not handed to a job.
    Lsn first_held() const;

    Table& table;
    bool begun = false;
    bool gone = false;  // the catalog did not have the table when it was last asked
    std::deque<BufferedWrite> unmerged;  // of another schema than the buffer, which is staged first
    TableBuffer buffer;
    std::optional<LogRange> reread;  // before what is staged
    int64_t staged_writes = 0, staged_bytes = 0;
    std::vector<lake::StagedFile> staged;  // data files that no snapshot names yet, oldest first
    Lsn staged_through = kNoLsn;           // also where rows were none, and no file was written
    Lsn first_staged = kNoLsn;
    std::optional<Job> job;  // under way
    bool commit_due = false;
    bool sealed = false;     // what the due commit is to hold has been staged
    bool due_again = false;  // another one was asked for since, of what came later
    Retry staging;
    Retry committing;
  };

  Status Merge(Landing& landing);
  Result<int64_t> MergeUnmerged(Landing& landing);
  // Answers whether there was something to read and room for it.
  Result<bool> ReadBacklog(SteadyTime now);
  Result<Backlog> ReadPiece(const Backlog& backlog);
  bool HasRoom(const std::vector<Landing*>& landings, SteadyTime now) const;
  Status StageAll(Landing& landing);
  void StepTable(Landing& landing, Lsn s3_lsn, SteadyTime now);
  Status Stage(Landing& landing);
  void StartCommit(Landing& landing);
  void RunJob(Landing& landing);
  void SettleJobs();
  void SettleJob(Landing& landing);
  void GiveBack(Landing& landing, Job& job);
  void KeepRest(Landing& landing, Job& job);
  Status Reread(Table& table, Job& job);
  Result<lake::StagedFile> WriteFile(const Table& table, const Rows& rows);
  void Settle(const Table& table, Retry& retry, Status status);
  // Memory is tight: the largest buffer becomes a data file though it is not full.
  void MakeRoom(const std::vector<Landing*>& landings);
  void Note(const Status& backlog_error);
  std::vector<Landing*> Landings();

  Sequencer& sequencer_;
  lake::TableCommitter& tables_;
  ObjectStore& warehouse_;
  MemoryBudget& budget_;
  Clock& clock_;
  Random& random_;
  const CommitterOptions options_;
  const std::function<Status(Table&)> look_;
  const LogReplayer* replayer_ = nullptr;  // constant once it is there

  WakeSignal wake_;
  std::atomic<bool> commit_now_{false};  // every table
  SteadyTime next_commit_;               // the loop's own
  std::atomic<int> commits_under_way_{0};
  mutable std::mutex mutex_;
  Status backlog_error_;  // of the last time it was read; guarded by mutex_
  std::map<TableId, std::unique_ptr<Landing>> landings_;  // the map is guarded by mutex_
  std::vector<Landing*> ended_;                           // their jobs have; guarded by mutex_
  std::set<const Table*> asked_;                          // to be committed now; guarded by mutex_
  std::stop_source stop_;
  std::unique_ptr<TaskQueue> pool_;  // from Start to Stop
  std::jthread thread_;
};

}  // namespace arka::ingest

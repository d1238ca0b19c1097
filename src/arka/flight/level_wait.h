// A wait until everything that was written before it has reached a level.
//
// 1. Its begin notes the last LSN that was given, and the last write to each table that has some
//    which are not committed: every write before the call is one of these or before one of these.
// 2. Once they are on disk, the upload and the commit are asked for at once: both take what is on
//    disk by then.
// 3. The end is told when the level is reached; or why it cannot be: the server stops, the log has
//    failed, a table with writes is gone from the catalog (after all others have been committed).
// Watermarks wake it, no thread waits. On the loop's thread; its owner may end it at any time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "arka/acks/loop_context.h"
#include "arka/base/lsn.h"
#include "arka/base/tier.h"
#include "arka/ingest/table.h"

namespace arka::flight {

class LevelWait : public acks::Sleeper {
 public:
  /// `ended` is told once, on the loop, and may destroy the wait. `context` must outlive it.
  LevelWait(acks::LoopContext& context, Tier level, std::function<void(Status)> ended);
  ~LevelWait() override;

  /// Begins, once, for the writes to all tables; or for those to `table` alone (nullptr: a table
  /// that has had none).
  void BeginForAll();
  void BeginFor(const ingest::Table* table);

  /// The last LSN that was given before it began.
  Lsn lsn() const { return lsn_; }

  /// A table that had writes to commit when the wait began, and the last of them.
  struct TableWrites {
    const ingest::Table* table;
    Lsn last;
  };
  const std::vector<TableWrites>& tables() const { return tables_; }

  void Wake(const ingest::Progress& progress) override { Look(progress); }
  void Shutdown() override;

 private:
  void Begin(const std::vector<const ingest::Table*>& tables, Lsn last);
  void Look(const ingest::Progress& progress);
  // The status to end with; nothing: not yet.
  std::optional<Status> Judge(const ingest::Progress& progress);
  std::optional<Status> JudgeCommits();
  void LookAgainLater();
  void End(const Status& status);

  acks::LoopContext& context_;
  const Tier level_;
  const std::function<void(Status)> ended_;
  const acks::AckScheduler::SleeperId id_;
  const std::shared_ptr<LevelWait*> self_;  // expires with the wait

  const ingest::Table* only_ = nullptr;  // nullptr: all
  Lsn lsn_ = kNoLsn;
  Lsn last_ = kNoLsn;  // of the writes that are waited for
  std::vector<TableWrites> tables_;
  std::vector<TableWrites> uncommitted_;  // of tables_
  Status gone_;                           // one of them has gone
  bool begun_ = false;
  bool asked_ = false;  // for the upload and the commit
  bool look_is_due_ = false;
  bool has_ended_ = false;
};

}  // namespace arka::flight

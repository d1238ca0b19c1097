// What a start does with what it finds in the log: every write that no snapshot holds is noted as
// backlog (ingest/backlog.h), so that it is read back and committed as if the server had never
// stopped. A start neither holds the rows nor waits for data files, however much the log holds.
//
// Which writes a snapshot holds is what the catalog says (the table's property), not a local file.
// Lives only while the log is opened. A table that the catalog no longer has is reported and its
// writes stay in the log, but for those that are given up.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "arka/ingest/checkpoint_store.h"
#include "arka/ingest/given_up_writes.h"
#include "arka/ingest/recovery_progress.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/table_registry.h"
#include "arka/io/clock.h"
#include "arka/wal/log.h"

namespace arka::ingest {

class Recovery : public wal::ReplayVisitor {
 public:
  /// All must outlive the recovery.
  /// `progress` may be none.
  Recovery(TableRegistry& tables, Sequencer& sequencer, CheckpointStore& checkpoints,
           GivenUpWrites& given_up, const Clock& clock, RecoveryProgress* progress)
      : tables_(tables),
        sequencer_(sequencer),
        checkpoints_(checkpoints),
        given_up_(given_up),
        clock_(clock),
        progress_(progress),
        began_(clock.Now()),
        logged_(began_) {}

  Status OnBegin(Lsn after) override;
  Status OnDefinition(const wal::Definition& definition) override;
  Status OnWrite(wal::WriteRecord record) override;
  void OnProgress(int64_t bytes_done, int64_t bytes_total) override;

  /// What the log's records above it were added to.
  Lsn checkpoint_lsn() const { return checkpoint_lsn_; }
  /// Writes that go to a table again, and writes whose table is gone.
  int64_t restored_writes() const { return restored_writes_; }
  int64_t held_writes() const { return held_writes_; }

 private:
  // What a write says besides its rows: that its seq was written, and that LSNs before it are lost.
  Status NoteWrite(const wal::WriteRecord& record);

  TableRegistry& tables_;
  Sequencer& sequencer_;
  CheckpointStore& checkpoints_;
  GivenUpWrites& given_up_;
  const Clock& clock_;
  RecoveryProgress* const progress_;
  const SteadyTime began_;
  SteadyTime logged_;
  std::map<wal::DefinitionId, std::shared_ptr<const OpenedTable>> opened_;
  std::map<wal::DefinitionId, Table*> gone_;
  std::set<wal::DefinitionId> skipped_;             // whose writes are given up
  std::map<wal::DefinitionId, std::string> uuids_;  // of the tables, also of those that are gone
  Lsn checkpoint_lsn_ = kNoLsn;
  Lsn last_ = kNoLsn;  // of the writes seen: the next one follows, or LSNs between are lost
  int64_t restored_writes_ = 0;
  int64_t held_writes_ = 0;
};

}  // namespace arka::ingest

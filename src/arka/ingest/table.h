// One table that has been written to since the server started, or that the log still speaks of.
//
// Made by the TableRegistry, lives as long as the engine. Its UUID is its identity: a table that is
// renamed is still the same one. Constant facts are plain members; what changes is guarded as said.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/durability_tracker.h"
#include "arka/ingest/table_buffer.h"
#include "arka/lake/table_schema.h"

namespace arka::ingest {

/// A snapshot holds every write to the table up to `through`.
struct CommitEvent {
  Lsn through;
  int64_t snapshot_id = 0;  // 0: the writes had no rows, and made no snapshot
  int64_t timestamp_us = 0;
};

class Table {
 public:
  /// A table that the log speaks of and the catalog does not have. `gone` says so.
  Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid, Status gone);
  Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid, std::string data_prefix,
        std::shared_ptr<const lake::TableSchema> file_schema, Lsn committed_at_open);

  const TableId id;
  const iceberg::TableIdentifier identifier;  // the name that it had when it became known
  const std::string uuid;                     // Iceberg's

  // Constant once the catalog has shown the table: from the start, or from Found on.
  std::string data_prefix;  // key of the folder for data files in the warehouse, with '/'
  std::shared_ptr<const lake::TableSchema> file_schema;  // the first that it was opened with
  Lsn committed_at_open;  // from the table's property: older records of the log are in it

  /// The catalog has a table that was gone from the start. Before anything is written to it.
  void Found(std::string prefix, std::shared_ptr<const lake::TableSchema> schema, Lsn committed);

  /// The writes of a table that was gone from the start: they are in the log only. Constant after
  /// replay; guarded by the Sequencer until then.
  Lsn first_held = kNoLsn;
  Lsn last_held = kNoLsn;
  /// What the log holds for the table up to here was given up (ingest/given_up_writes.h) before the
  /// table was back. Constant after replay.
  Lsn given_up_through = kNoLsn;

  /// A write of about `bytes` was given `lsn`. The Sequencer's; the rest is thread-safe.
  void NoteWrite(Lsn lsn, int64_t bytes);
  /// `writes` of about `bytes` in all, the last of them `through`, are committed.
  void NoteLanded(Lsn through, int64_t writes, int64_t bytes);
  /// The last LSN that it was given, or that the log still held at the start.
  Lsn last_write() const { return Lsn{last_write_.load()}; }
  bool has_uncommitted() const { return last_write_.load() > committed_through_.load(); }
  /// Not committed yet; the bytes are about those of memory that they take or took.
  int64_t pending_writes() const { return pending_writes_; }
  int64_t pending_bytes() const { return pending_bytes_; }

  /// The name that it has now.
  iceberg::TableIdentifier name() const;
  /// The id of its schema, as far as is known.
  int schema_id() const { return schema_id_; }
  /// The catalog has it, under this name and with this schema.
  void NoteFound(const iceberg::TableIdentifier& name, int schema_id);
  /// How often the catalog was seen to have it: what it said before is older news.
  int64_t times_found() const { return times_found_; }
  /// Sealed: the catalog says that nothing more is to be written to it (kSealedProperty). Closing:
  /// it is being dropped. The Sequencer looks before it gives an LSN; Sequencer::Settle waits for
  /// those that it is about to give.
  void SetSealed(bool sealed) { sealed_ = sealed; }
  void SetClosing(bool closing) { closing_ = closing; }
  bool is_sealed() const { return sealed_; }
  /// kFailedPrecondition where it is sealed, kUnavailable where it is being dropped; else OK.
  Status CheckTakesWrites() const;

  /// The catalog does not have it any more: nothing new is taken until NoteFound. False, and
  /// nothing is noted, where it was found since it had been `times_found`.
  bool NoteGone(Status reason, int64_t times_found);
  bool is_gone() const { return gone_; }
  /// kNotFound, saying why, where it is gone; else OK.
  Status CheckThere() const;

  /// Takes note of a commit; one that says nothing new is passed over. Thread-safe.
  void AddCommit(const CommitEvent& event);

  /// The oldest commit that covers `lsn`, or nothing where it is not committed yet. Of the commits
  /// of long ago (more than kCommitsKept back) the snapshot id is forgotten: 0. Thread-safe.
  std::optional<CommitEvent> CommitOf(Lsn lsn) const;

  /// The last commit since the server started. Thread-safe.
  std::optional<CommitEvent> last_commit() const;

  /// Every write to the table up to this LSN is committed. Thread-safe.
  Lsn committed_through() const { return Lsn{committed_through_.load()}; }

  /// Whether a write of `lsn` that the log holds was given up. Thread-safe.
  bool is_given_up(Lsn lsn) const { return lsn <= given_up_through; }

  /// Writes that have an LSN and are not yet in the committer's hands. Guarded by the Sequencer.
  std::vector<BufferedWrite> pending;
  /// Of the writes whose rows are in the log only (ingest/backlog.h): the last one, and the first
  /// since that one's backlog was last read to its end for this table. Guarded by the Sequencer.
  Lsn first_logged = kNoLsn;
  Lsn last_logged = kNoLsn;

  static constexpr size_t kCommitsKept = 1024;

 private:
  mutable std::mutex mutex_;
  iceberg::TableIdentifier name_;  // guarded by mutex_
  Status gone_reason_;             // guarded by mutex_
  std::atomic<bool> gone_{false};
  std::atomic<bool> sealed_{false};
  std::atomic<bool> closing_{false};
  std::atomic<int64_t> times_found_{0};
  std::atomic<int64_t> last_write_{kNoLsn.value};
  std::atomic<int64_t> pending_writes_{0};
  std::atomic<int64_t> pending_bytes_{0};
  std::atomic<int> schema_id_{0};
  std::deque<CommitEvent> commits_;  // guarded by mutex_; by rising `through`
  Lsn forgotten_through_;            // guarded by mutex_
  std::atomic<int64_t> committed_through_;
};

}  // namespace arka::ingest

// One table that has been written to since the server started, or that the log still speaks of.
//
// Made by the TableRegistry, lives as long as the engine. Constant facts are plain members; what
// changes is guarded as said.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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
  Table(TableId id, iceberg::TableIdentifier identifier, std::string uuid, std::string data_prefix,
        std::shared_ptr<const lake::TableSchema> file_schema, Lsn committed_at_open);

  const TableId id;
  const iceberg::TableIdentifier identifier;
  const std::string uuid;         // Iceberg's
  const std::string data_prefix;  // key of the folder for data files in the warehouse, with '/'
  const std::shared_ptr<const lake::TableSchema> file_schema;  // what data files are written by
  const Lsn committed_at_open;  // from the table's property: older records of the log are in it

  /// Takes note of a commit; `event.through` only grows. Thread-safe.
  void AddCommit(const CommitEvent& event);

  /// The oldest commit that covers `lsn`, or nothing where it is not committed yet. Of the commits
  /// of long ago (more than kCommitsKept back) the snapshot id is forgotten: 0. Thread-safe.
  std::optional<CommitEvent> CommitOf(Lsn lsn) const;

  /// Every write to the table up to this LSN is committed. Thread-safe.
  Lsn committed_through() const { return Lsn{committed_through_.load()}; }

  /// Writes that have an LSN and are not yet in the committer's hands. Guarded by the Sequencer.
  std::vector<BufferedWrite> pending;

  static constexpr size_t kCommitsKept = 1024;

 private:
  mutable std::mutex mutex_;
  std::deque<CommitEvent> commits_;  // guarded by mutex_; by rising `through`
  Lsn forgotten_through_;            // guarded by mutex_
  std::atomic<int64_t> committed_through_;
};

}  // namespace arka::ingest

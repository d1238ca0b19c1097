// Which LSN has reached which tier: a pure value, without clock, lock or I/O.
//
// "LSN <= x reached tier T" goes in, watermarks come out. Disk and object storage move for the
// whole log; COMMITTED moves table by table, and the committed watermark is the end of the longest
// prefix of the log of which every write is committed. Owned by the Sequencer, under its lock.
// Invariant: last_lsn >= disk_lsn >= s3_lsn >= committed_lsn, and none of them ever falls.
#pragma once

#include <map>
#include <set>

#include "arka/base/lsn.h"
#include "arka/protocol/ack_batch.h"

namespace arka::ingest {

/// Names a table inside the running server; counted from 1.
struct TableId {
  uint32_t value = 0;
  auto operator<=>(const TableId&) const = default;
};

class DurabilityTracker {
 public:
  DurabilityTracker() = default;
  /// Starts where a log ends: everything up to `last_lsn` is on disk, everything up to `s3_lsn` in
  /// the object store, and the tables of `first_uncommitted` have writes from there on that are not
  /// committed.
  DurabilityTracker(Lsn last_lsn, Lsn s3_lsn, std::map<TableId, Lsn> first_uncommitted);

  /// `lsn` was given to a write to `table`. In LSN order.
  void OnWrite(TableId table, Lsn lsn);
  void OnDisk(Lsn disk_lsn);
  void OnObjectStorage(Lsn s3_lsn);
  /// Every write to `table` up to `through` is committed; the next one, where there is one, is
  /// `next_uncommitted` (kNoLsn: none).
  void OnCommitted(TableId table, Lsn through, Lsn next_uncommitted);

  /// The catalog does not have the table (any more), or has it again.
  void SetGone(TableId table, bool gone);

  /// The first write to the table that is not committed, or a lower bound of it; kNoLsn: none is.
  Lsn first_uncommitted(TableId table) const;

  const protocol::Watermarks& watermarks() const { return watermarks_; }
  /// Whether nothing is left to do: all is committed but the writes to tables that are gone.
  bool all_landed() const;

 private:
  void MoveCommitted();

  protocol::Watermarks watermarks_;
  std::map<TableId, Lsn> first_uncommitted_;
  std::set<TableId> gone_;
};

}  // namespace arka::ingest

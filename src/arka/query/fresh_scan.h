// The rows of a table's writes that are read out of the log, piece by piece, small writes merged.
// Not thread-safe; blocks.
#pragma once

#include <memory>
#include <utility>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/lake/chunk_merger.h"
#include "arka/query/table_snapshot.h"

namespace arka::query {

class FreshScan {
 public:
  /// Writes of after < LSN <= through to the snapshot's table; `after` is not below what the
  /// snapshot holds of them. `source` must outlive the scan.
  FreshScan(const ReadSource& source, std::shared_ptr<const TableSnapshot> snapshot, Lsn after,
            Lsn through)
      : source_(source),
        snapshot_(std::move(snapshot)),
        through_(through),
        read_through_(after),
        merger_(snapshot_->schema) {}

  bool done() const { return read_through_ >= through_; }
  /// The rows of all writes up to here have been given.
  Lsn read_through() const { return read_through_; }

  /// The next rows, of the snapshot's schema; perhaps none. kUnavailable where the log needed the
  /// room of what was still to be read.
  Result<arrow::RecordBatchVector> Next();

 private:
  const ReadSource& source_;
  const std::shared_ptr<const TableSnapshot> snapshot_;
  const Lsn through_;
  Lsn read_through_;
  lake::ChunkMerger merger_;
};

}  // namespace arka::query

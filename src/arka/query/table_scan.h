// The rows of one part of a snapshot, batch by batch.
//
// A snapshot is cut into parts that can be read in parallel and in any order: its fresh writes are
// one, its data files the others. Small writes come merged. Memory is bounded by a piece of the
// log, or by a data file's row group. Not thread-safe; blocks.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/lake/data_file_reader.h"
#include "arka/query/fresh_scan.h"
#include "arka/query/table_snapshot.h"

namespace arka::query {

/// Data files first <= i < last of the snapshot and, where it says so, the fresh writes.
struct SnapshotPart {
  bool fresh = false;
  size_t first_file = 0;
  size_t last_file = 0;
};

/// All of the snapshot, as parts of about `part_bytes`, at most `max_parts`; never none.
std::vector<SnapshotPart> PartsOf(const TableSnapshot& snapshot, int64_t part_bytes,
                                  size_t max_parts);

class TableScan {
 public:
  /// `source` must outlive the scan.
  TableScan(const ReadSource& source, std::shared_ptr<const TableSnapshot> snapshot,
            SnapshotPart part);

  /// The next rows, of the snapshot's schema; nullptr once there are no more. kUnavailable where
  /// the log needed the room of what was still to be read.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  Status OpenFile();

  const ReadSource& source_;
  const std::shared_ptr<const TableSnapshot> snapshot_;
  const SnapshotPart part_;
  FreshScan fresh_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> ready_;
  size_t next_file_;
  std::unique_ptr<lake::DataFileReader> file_;  // being read
};

}  // namespace arka::query

// The rows of one table that are in the log and not yet in a data file.
//
// Takes writes in LSN order and gives all of them back as rows for one file. Small batches are
// merged as they come (lake/chunk_merger.h), so that a million one-row writes cost what their rows
// cost. Owned by the Committer; not thread-safe; no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/lake/chunk_merger.h"

namespace arka::ingest {

/// One write on its way to a data file; the batch is as TableSchema::ToStorage made it.
struct BufferedWrite {
  Lsn lsn;
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t charged_bytes = 0;  // held of the memory budget
};

/// Consecutive writes of a table.
struct Rows {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  Lsn first_lsn = kNoLsn;
  Lsn last_lsn = kNoLsn;
  int64_t row_count = 0;
  int64_t charged_bytes = 0;
};

class TableBuffer {
 public:
  explicit TableBuffer(std::shared_ptr<arrow::Schema> storage_schema);

  /// Adds `write`, whose LSN is above all before. Answers how many of the charged bytes are no
  /// longer needed, since merging has let go of messages: give them back to the budget.
  Result<int64_t> Add(BufferedWrite write);

  /// Removes and answers everything; the rows' charge goes with them.
  Result<Rows> TakeAll();

  /// Puts back what TakeAll has just answered, before anything was added.
  Status PutBack(Rows rows);

  bool empty() const { return last_lsn_ == kNoLsn; }
  Lsn first_lsn() const { return first_lsn_; }
  /// Bytes of the rows' values: what a data file's size is aimed by.
  int64_t size_bytes() const { return merger_.size_bytes(); }

 private:
  lake::ChunkMerger merger_;
  Lsn first_lsn_ = kNoLsn;
  Lsn last_lsn_ = kNoLsn;
  int64_t charged_bytes_ = 0;
};

}  // namespace arka::ingest

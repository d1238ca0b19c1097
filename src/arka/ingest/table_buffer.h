// The rows of one table that are in the log and not yet in a data file.
//
// Takes writes in LSN order and gives all of them back as rows for one file. Small batches are
// merged as they come (lake/chunk_merger.h), so that a million one-row writes cost what their rows
// cost. All of them are of one schema of the table: where it was altered, what came before goes to
// a file first. Owned by the Committer; not thread-safe; no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/lake/chunk_merger.h"
#include "arka/lake/table_schema.h"

namespace arka::ingest {

/// One write on its way to a data file; the batch is as TableSchema::ToStorage made it.
struct BufferedWrite {
  Lsn lsn;
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t charged_bytes = 0;  // held of the memory budget
  // What the batch is of, where that is not the table's first schema: Table::file_schema.
  const lake::TableSchema* schema = nullptr;
};

/// Consecutive writes of a table.
struct Rows {
  const lake::TableSchema* schema = nullptr;  // as the writes had it
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  Lsn first_lsn = kNoLsn;
  Lsn last_lsn = kNoLsn;
  int64_t row_count = 0;
  int64_t write_count = 0;
  int64_t write_bytes = 0;  // the writes' charges when they came
  int64_t charged_bytes = 0;
};

class TableBuffer {
 public:
  /// `storage_schema`: of writes that name no schema of their own.
  explicit TableBuffer(std::shared_ptr<arrow::Schema> storage_schema);

  /// Whether `write` is of the schema of what is in the buffer. Anything goes into an empty one.
  bool Takes(const BufferedWrite& write) const;

  /// Adds `write`, which it takes and whose LSN is above all before. Answers how many of the
  /// charged bytes are no longer needed, since merging has let go of messages: give them back to
  /// the budget.
  Result<int64_t> Add(BufferedWrite write);

  /// Removes and answers everything; the rows' charge goes with them.
  Result<Rows> TakeAll();

  /// Puts back what TakeAll has just answered, before anything was added.
  Status PutBack(Rows rows);

  bool empty() const { return last_lsn_ == kNoLsn; }
  int64_t charged_bytes() const { return charged_bytes_; }
  Lsn first_lsn() const { return first_lsn_; }
  /// Bytes of the rows' values: what a data file's size is aimed by.
  int64_t size_bytes() const { return merger_ ? merger_->size_bytes() : 0; }

 private:
  void StartWith(const lake::TableSchema* schema);

  const std::shared_ptr<arrow::Schema> storage_schema_;
  const lake::TableSchema* schema_ = nullptr;  // of what is in merger_
  std::optional<lake::ChunkMerger> merger_;
  Lsn first_lsn_ = kNoLsn;
  Lsn last_lsn_ = kNoLsn;
  int64_t charged_bytes_ = 0;
  int64_t write_count_ = 0;
  int64_t write_bytes_ = 0;
};

}  // namespace arka::ingest

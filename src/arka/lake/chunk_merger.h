// Merges a table's many small batches into few large chunks, so that a million one-row batches cost
// what their rows cost. Sits in the table's buffer, behind ToStorage.
//
// Pure and deterministic: the same batches give the same chunks. Rows keep their order. Large
// batches pass through uncopied. Small ones of flat columns are copied at once; where columns have
// children they wait to be concatenated, and never keep a larger buffer alive for long. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/lake/row_appender.h"

namespace arka::lake {

struct ChunkMergerOptions {
  /// Batches of at least this many bytes are not merged.
  int64_t large_batch_bytes = 64 << 10;
  int64_t chunk_bytes = 1 << 20;
  /// Where columns have children, merging happens at whichever comes first.
  int max_pending_batches = 1024;
  /// Memory that the pending batches may keep alive, whatever their own size.
  int64_t max_pinned_bytes = 4 << 20;
};

class ChunkMerger {
 public:
  explicit ChunkMerger(std::shared_ptr<arrow::Schema> schema, ChunkMergerOptions options = {});

  /// Adds a batch whose columns have the schema's types. On an error (out of memory) it was not
  /// added, and what was there before still is.
  Status Add(std::shared_ptr<arrow::RecordBatch> batch);

  /// All rows added since the last Take, in order, as chunks; empty where there were none. On an
  /// error nothing was taken.
  Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> Take();

  int64_t num_rows() const { return num_rows_; }
  /// Bytes of the values held: what the rows cost, near enough to bound a buffer by.
  int64_t size_bytes() const { return size_bytes_; }

 private:
  struct Run {
    arrow::RecordBatchVector batches;
    int64_t bytes = 0;
  };

  Status AddSmall(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes);
  /// Leaves everything in chunks_.
  Status MergeAll();
  Status FinishAppended();
  Status MergeSmall();
  Status MergeMedium();
  Result<std::shared_ptr<arrow::RecordBatch>> Concatenated(const Run& run) const;

  const std::shared_ptr<arrow::Schema> schema_;
  const ChunkMergerOptions options_;
  arrow::RecordBatchVector chunks_;      // done
  std::optional<RowAppender> appended_;  // the rows after chunks_, for a schema that it takes
  int64_t appended_bytes_ = 0;
  // For other schemas, in the order of the rows: merged once but still short, then as they came.
  Run medium_;
  Run small_;
  std::unordered_set<const void*> pinned_;  // the buffers that small_ keeps alive
  int64_t pinned_bytes_ = 0;
  int64_t num_rows_ = 0;
  int64_t size_bytes_ = 0;
};

/// Bytes of the values that `batch` refers to: validity, offsets and data, without what its buffers
/// hold beyond them.
int64_t ReferencedBytes(const arrow::RecordBatch& batch);

}  // namespace arka::lake

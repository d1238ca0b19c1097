// Copies the rows of small batches, one after the other, into one growing batch, and so lets go of
// each small batch at once. For ChunkMerger; for schemas of flat columns. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/lake/column_appender.h"

namespace arka::lake {

class RowAppender {
 public:
  /// Whether all columns of `schema` are ones that ColumnAppender takes.
  static bool Takes(const arrow::Schema& schema);

  explicit RowAppender(std::shared_ptr<arrow::Schema> schema);

  /// Appends a batch of at least one row, whose columns have the schema's types and hold less than
  /// 2 GiB together with what is there. On an error (out of memory) nothing was appended.
  Status Append(const arrow::RecordBatch& batch);

  /// Everything appended since the last Finish. On an error (out of memory) nothing was taken.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

  int64_t num_rows() const { return num_rows_; }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnAppender> columns_;
  int64_t num_rows_ = 0;
};

}  // namespace arka::lake

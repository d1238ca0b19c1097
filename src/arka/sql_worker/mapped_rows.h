// Rows that the server put into files in memory, as record batches that point into it.
#pragma once

#include <memory>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/io/file_descriptor.h"
#include "arka/sql/run_request.h"

namespace arka::sql_worker {

struct MappedRows {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;  // keep the mapping alive
  int64_t rows = 0;
};

/// Adds the batches that lie in `range` of `file`, which is mapped.
Status MapRows(const FileDescriptor& file, const sql::RowsRange& range, MappedRows& rows);

}  // namespace arka::sql_worker

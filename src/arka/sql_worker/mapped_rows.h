// Rows that the server put into a file in memory, as record batches that point into it.
#pragma once

#include <memory>
#include <vector>

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/io/file_descriptor.h"

namespace arka::sql_worker {

struct MappedRows {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;  // keep the mapping alive
  int64_t rows = 0;
};

/// Maps `file`, of Arrow's IPC stream format.
Result<MappedRows> MapRows(const FileDescriptor& file);

}  // namespace arka::sql_worker

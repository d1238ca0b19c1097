// Writes batches of a table as one Parquet data file in the warehouse, and measures it for the
// manifest. Blocks; no state; any thread. The file belongs to no snapshot until it is committed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/object_store.h"
#include "arka/lake/table_schema.h"

namespace arka::lake {

struct DataFileOptions {
  /// Rows of numbers and identifiers come out smaller and sooner at level 1 than at 3.
  int zstd_level = 1;
  /// A row group ends at whichever comes first; bytes are those of the Arrow data.
  int64_t row_group_rows = 1 << 20;
  int64_t row_group_bytes = 128LL << 20;
  /// A column whose dictionary grows past this is written plain from there on. A larger limit keeps
  /// columns that hardly repeat in a dictionary for longer, which costs time and space.
  int64_t dictionary_bytes = 256 << 10;
  int64_t page_bytes = 1 << 20;
};

/// Writes `batches`, which came out of `schema.ToStorage`, in order, as the object `key`, with one
/// Put; answers the file with its counts and bounds. Batches with no rows are allowed; no rows at
/// all is kInvalidRequest. Errors of the store come back as they are; the object may then be there,
/// and writing it again under the same key is safe.
Result<iceberg::DataFile> WriteDataFile(
    ObjectStore& warehouse, const std::string& key, const TableSchema& schema,
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
    const DataFileOptions& options = {});

}  // namespace arka::lake

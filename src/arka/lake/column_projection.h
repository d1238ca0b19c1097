// Rows of one schema of a table as rows of another, by field ids (Iceberg's spec, "Column
// Projection"): columns are found whatever their name and place, promoted where the type was, and
// null where the rows are older than the column. At every depth. Pure; data is shared where types
// agree.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::lake {

/// `batch` as `target` (ArrowSchemaOf). `source` is the batch's schema with field ids at every
/// depth: that of a data file, or TableSchema::storage_schema(). kUnimplemented, naming the column,
/// where it is required and the batch lacks it, or where its type does not lead to the target's.
Result<std::shared_ptr<arrow::RecordBatch>> ProjectBatch(const arrow::RecordBatch& batch,
                                                         const arrow::Schema& source,
                                                         const arrow::Schema& target);

}  // namespace arka::lake

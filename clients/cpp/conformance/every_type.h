// One batch with a column for every Arrow type that a table can hold (docs/spec/tables.md).
#pragma once

#include <memory>

#include <arrow/record_batch.h>
#include <arrow/result.h>

namespace arka::client {

/// Two rows: a value in every column, and then a null.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> EveryType();

}  // namespace arka::client

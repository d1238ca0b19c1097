// Values for a statement's parameters.
#pragma once

#include <arrow/record_batch.h>

#include "arka/base/error.h"
#include "arka/sql_worker/duckdb_handles.h"

namespace arka::sql_worker {

/// Binds the columns of `row`, a batch of one row, to the parameters of `statement`, in their
/// order. kInvalidRequest where there are more or fewer, or for a type that no parameter takes.
Status BindParameters(const OwnedStatement& statement, const arrow::RecordBatch& row);

}  // namespace arka::sql_worker

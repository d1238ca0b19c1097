// Rows as text, NDJSON or CSV, parsed by Arrow into a table's schema. Pure functions; any thread.
//
// Strict: a column that the table does not have, or a value that does not fit, is an error that
// names the line and the column; nothing is guessed. A column that is left out is null.
#pragma once

#include <memory>

#include <arrow/buffer.h>
#include <arrow/type.h>

#include "arka/base/error.h"
#include "arka/http/write_request.h"

namespace arka::http {

/// The rows as an Arrow IPC stream with `schema`, in batches of at most `max_batch_rows`; a body of
/// any other format is answered as it is. kInvalidRequest for what does not parse.
Result<std::shared_ptr<arrow::Buffer>> ParseRows(RowFormat format,
                                                 const std::shared_ptr<arrow::Buffer>& body,
                                                 const std::shared_ptr<arrow::Schema>& schema,
                                                 int64_t max_batch_rows);

/// `rows`, whose columns may be fewer and in another order, as a table of `schema`. kInvalidRequest
/// for a column that it does not have, or twice.
Result<std::shared_ptr<arrow::Table>> FitColumns(const std::shared_ptr<arrow::Table>& rows,
                                                 const std::shared_ptr<arrow::Schema>& schema);

}  // namespace arka::http

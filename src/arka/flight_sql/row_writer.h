// Writes the rows that a query makes to a table, from a thread that may block: every batch is a
// write like those of any stream, with the same checks and an LSN.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/engine.h"
#include "arka/query/sql_result.h"

namespace arka::flight_sql {

struct RowWriterOptions {
  ingest::DecodeLimits limits;
  std::chrono::milliseconds admission_timeout{30'000};  // for room for a batch
  std::chrono::milliseconds disk_patience{30'000};      // until all rows are on disk
};

/// Writes all of `rows`, whose batches are of `schema`. Answers how many there were, once they are
/// on LOCAL_DISK. Errors of opening the table, of the query and of the writes; rows that were
/// written before an error stay, and it says how many.
Result<int64_t> WriteRows(ingest::Engine& engine, const iceberg::TableIdentifier& table,
                          const std::shared_ptr<arrow::Schema>& schema, query::SqlResult& rows,
                          const RowWriterOptions& options);

}  // namespace arka::flight_sql

// The rows of a statement that runs, as record batches.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/record_batch.h>
#include <duckdb.h>

#include "arka/base/error.h"
#include "arka/sql_worker/duckdb_handles.h"

namespace arka::sql_worker {

/// The Arrow schema of what `statement` will answer.
Result<std::shared_ptr<arrow::Schema>> ResultSchemaOf(duckdb_connection connection,
                                                      const OwnedStatement& statement);

/// Its parameters, named by their numbers; of type null where any type will do.
Result<std::shared_ptr<arrow::Schema>> ParameterSchemaOf(duckdb_connection connection,
                                                         const OwnedStatement& statement);

class ResultStream {
 public:
  /// Starts `statement`, whose parameters are bound.
  static Result<ResultStream> Start(const OwnedStatement& statement);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// The next rows, few at first so that they come soon, then more at a time; nullptr once there
  /// are no more.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  ResultStream() = default;
  Result<std::shared_ptr<arrow::RecordBatch>> NextChunk();

  OwnedResult result_;
  OwnedArrowOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t batch_rows_ = 1;
  bool at_end_ = false;
};

}  // namespace arka::sql_worker

#include "arka/sql_worker/duckdb_handles.h"

#include <string_view>

namespace arka::sql_worker {

Status DuckDbError(const char* message) {
  const std::string_view text = message == nullptr ? "DuckDB gave no message" : message;
  if (text.starts_with("Out of Memory Error")) {
    return Error(ErrorCode::kTooLarge, text.substr(0, text.find('\n')),
                 "; query.memory_limit bounds what a query may use");
  }
  return Error(ErrorCode::kInvalidRequest, text);
}

Status ToStatus(const OwnedError& error) {
  if (error.get() == nullptr || !duckdb_error_data_has_error(error.get())) return Status::OK();
  return DuckDbError(duckdb_error_data_message(error.get()));
}

}  // namespace arka::sql_worker

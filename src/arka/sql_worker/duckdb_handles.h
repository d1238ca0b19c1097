// DuckDB's C handles with an owner each, and its errors as ours.
#pragma once

#include <string>
#include <utility>

#include <duckdb.h>

#include "arka/base/error.h"

namespace arka::sql_worker {

template <typename Handle, void (*Destroy)(Handle*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() { Destroy(&handle_); }
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  Handle get() const { return handle_; }
  /// For a function that makes the handle.
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = {};
};

using OwnedDatabase = Owned<duckdb_database, duckdb_close>;
using OwnedConnection = Owned<duckdb_connection, duckdb_disconnect>;
using OwnedConfig = Owned<duckdb_config, duckdb_destroy_config>;
using OwnedStatement = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using OwnedResult = Owned<duckdb_result, duckdb_destroy_result>;
using OwnedType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using OwnedValue = Owned<duckdb_value, duckdb_destroy_value>;
using OwnedChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using OwnedError = Owned<duckdb_error_data, duckdb_destroy_error_data>;
using OwnedArrowOptions = Owned<duckdb_arrow_options, duckdb_destroy_arrow_options>;
using OwnedArrowTypes = Owned<duckdb_arrow_converted_schema, duckdb_destroy_arrow_converted_schema>;
using OwnedTableFunction = Owned<duckdb_table_function, duckdb_destroy_table_function>;

/// A failure of DuckDB that `message` tells of: kTooLarge where memory did not do, else
/// kInvalidRequest, since the statement asked for it.
Status DuckDbError(const char* message);

/// OK for no error.
Status ToStatus(const OwnedError& error);

}  // namespace arka::sql_worker

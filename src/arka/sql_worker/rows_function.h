// The table function arka_rows(i): the i-th of a session's mapped rows as a table of DuckDB's.
//
// Only the columns that a statement needs are converted, and those without a copy of what they
// hold. Threads take a batch each.
#pragma once

#include <string_view>
#include <vector>

#include <duckdb.h>

#include "arka/base/error.h"
#include "arka/sql_worker/mapped_rows.h"

namespace arka::sql_worker {

inline constexpr std::string_view kRowsFunction = "arka_rows";

/// What the function answers from. `connection` is for conversions alone; the rows may be changed
/// while no statement runs. Must outlive the database.
struct RowsSource {
  duckdb_connection connection = nullptr;
  std::vector<MappedRows> tables;
};

Status RegisterRowsFunction(duckdb_connection connection, RowsSource& source);

}  // namespace arka::sql_worker

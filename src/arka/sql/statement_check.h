// What a SQL statement would do, judged by its syntax tree before anything of it runs.
//
// The tree is DuckDB's, as its function json_serialize_sql gives it. One SELECT is let through; of
// table functions only those that make up rows, so that neither files nor settings are named; of
// tables, all that are named come out, so that the caller can check rights and take snapshots. The
// process that runs it has locks of its own (sql_worker/database.h); this is the wall before them,
// with the better messages. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka::sql {

/// A table as a statement names it; what it leaves out is empty.
struct TableReference {
  std::string catalog;
  std::string namespace_name;
  std::string name;

  auto operator<=>(const TableReference&) const = default;
};

/// The tables that the statement of `syntax_tree` reads, each once, in alphabetical order.
/// kInvalidRequest, saying what is not allowed and what is, for anything but one SELECT.
Result<std::vector<TableReference>> CheckStatement(std::string_view syntax_tree);

}  // namespace arka::sql

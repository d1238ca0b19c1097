// INSERT, as far as Arka reads it by itself: where the rows go. Where they come from is a query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka::flight_sql {

struct InsertStatement {
  std::vector<std::string> table;    // one to three parts: catalog, namespace, name
  std::vector<std::string> columns;  // none: all, in the table's order
  std::string query;                 // VALUES … or SELECT …
};

/// Whether `sql` begins as an INSERT does, comments aside.
bool IsInsert(std::string_view sql);

/// INSERT INTO table [(column, …)] query. kInvalidRequest, saying what was expected and where.
Result<InsertStatement> ParseInsert(std::string_view sql);

/// `query`, where it is VALUES, with every value that is nothing but a parameter (? or $1) cast to
/// the type of its column: nothing else would tell what type it is of. Other queries stay as they
/// are.
std::string WithTypedParameters(const std::string& query, const std::vector<std::string>& types);

/// The first word of a statement, in upper case: "SELECT"; empty where it begins otherwise.
std::string FirstWord(std::string_view sql);

}  // namespace arka::flight_sql

// How tables are named in SQL and in Flight SQL: [[catalog.]namespace.]table. The one place that
// says which table a name means, for queries, INSERTs and what clients ask about tables.
#pragma once

#include <string>
#include <string_view>

#include "arka/base/error.h"
#include "arka/iceberg/identifier.h"
#include "arka/sql/statement_check.h"

namespace arka::query {

struct TableNaming {
  std::string catalog;            // the one that there is: catalog.name
  std::string default_namespace;  // of tables that are named without one

  /// kNotFound for another catalog, saying how tables are named. Cases are alike, as they are to
  /// DuckDB.
  Status CheckCatalog(std::string_view name) const;

  /// kNotFound as CheckCatalog. Whether there is such a table is not looked at.
  Result<iceberg::TableIdentifier> Resolve(const sql::TableReference& reference) const;
};

}  // namespace arka::query

// What there is to query, for Flight SQL's metadata commands: one catalog, whose schemas are
// Iceberg's namespaces, and their tables.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/query/table_snapshot.h"

namespace arka::flight_sql {

inline constexpr std::string_view kTableType = "TABLE";

/// Which of them are asked for; patterns as MatchesPattern. An empty catalog is none.
struct ListingFilter {
  std::optional<std::string> catalog = {};
  std::optional<std::string> schema_pattern = {};
  std::optional<std::string> table_pattern = {};
  std::vector<std::string> table_types = {};                   // none: all
  std::function<bool(const std::string& table)> may_see = {};  // empty: all
};

Result<std::shared_ptr<arrow::RecordBatch>> ListCatalogs(const query::ReadSource& source);
Result<std::shared_ptr<arrow::RecordBatch>> ListTableTypes();

/// Schemas that have tables, and `default_schema`. Blocks, as the next.
Result<std::shared_ptr<arrow::RecordBatch>> ListDbSchemas(const query::ReadSource& source,
                                                          const std::string& default_schema,
                                                          const ListingFilter& filter);

/// Tables that are dropped meanwhile, or that cannot be loaded, are left out where their schemas
/// are asked for.
Result<std::shared_ptr<arrow::RecordBatch>> ListTables(const query::ReadSource& source,
                                                       const ListingFilter& filter,
                                                       bool with_table_schema);

}  // namespace arka::flight_sql

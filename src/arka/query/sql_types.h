// Types of tables' columns as DuckDB's SQL spells them.
#pragma once

#include <string>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::query {

/// Of a column of lake::ArrowSchemaOf's; "STRUCT("x" BIGINT, "y" VARCHAR[])" of nested ones.
/// Nanoseconds with a zone become microseconds: DuckDB has no such type. kUnimplemented for a type
/// that no table has.
Result<std::string> SqlTypeOf(const arrow::DataType& type);

}  // namespace arka::query

// The schemas of the answers to Flight SQL's metadata commands, as its specification lists them.
#pragma once

#include <memory>

#include <arrow/type_fwd.h>

namespace arka::flight_sql {

std::shared_ptr<arrow::Schema> CatalogsSchema();
std::shared_ptr<arrow::Schema> DbSchemasSchema();
std::shared_ptr<arrow::Schema> TablesSchema(bool with_table_schema);
std::shared_ptr<arrow::Schema> TableTypesSchema();
std::shared_ptr<arrow::Schema> PrimaryKeysSchema();
/// Of exported and imported keys, and of a cross reference.
std::shared_ptr<arrow::Schema> ForeignKeysSchema();
std::shared_ptr<arrow::Schema> SqlInfoSchema();
std::shared_ptr<arrow::Schema> XdbcTypeInfoSchema();

}  // namespace arka::flight_sql

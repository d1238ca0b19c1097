#include "arka/flight_sql/catalog_listing.h"

#include <algorithm>
#include <set>

#include <arrow/api.h>
#include <arrow/ipc/writer.h>

#include "arka/flight_sql/metadata_schemas.h"
#include "arka/flight_sql/name_pattern.h"
#include "arka/lake/arrow_schema.h"
#include "arka/query/sql_types.h"

namespace arka::flight_sql {
namespace {

bool Matches(const std::string& name, const std::optional<std::string>& pattern) {
  return !pattern || MatchesPattern(name, *pattern);
}

bool HasCatalog(const query::ReadSource& source, const ListingFilter& filter) {
  return !filter.catalog || *filter.catalog == source.catalog_name;
}

bool MaySee(const iceberg::TableIdentifier& table, const ListingFilter& filter) {
  return !filter.may_see || filter.may_see(table.ToString());
}

// A batch of text columns, row by row.
Result<std::shared_ptr<arrow::RecordBatch>> TextRows(
    const std::shared_ptr<arrow::Schema>& schema,
    const std::vector<std::vector<std::string>>& rows) {
  ARROW_ASSIGN_OR_RAISE(auto builder,
                        arrow::RecordBatchBuilder::Make(schema, arrow::default_memory_pool()));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      // Binary columns too: a StringBuilder is one.
      ARROW_RETURN_NOT_OK(
          builder->GetFieldAs<arrow::BinaryBuilder>(static_cast<int>(i))->Append(row[i]));
    }
  }
  return builder->Flush();
}

// The table's schema with what Flight SQL says of columns in the fields' metadata.
Result<std::string> SerializedSchemaOf(const std::string& catalog, const iceberg::Table& table) {
  const auto schema = lake::ArrowSchemaOf(*table.metadata->current_schema());
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    const auto type = query::SqlTypeOf(*field->type());
    fields.push_back(field->WithMergedMetadata(arrow::key_value_metadata(
        // The third is what Arrow's own clients read, for all that the format says.
        {"ARROW:FLIGHT:SQL:CATALOG_NAME", "ARROW:FLIGHT:SQL:DB_SCHEMA_NAME",
         "ARROW:FLIGHT:SQL:SCHEMA_NAME", "ARROW:FLIGHT:SQL:TABLE_NAME",
         "ARROW:FLIGHT:SQL:TYPE_NAME"},
        {catalog, table.identifier.namespace_name, table.identifier.namespace_name,
         table.identifier.name, type.ok() ? *type : field->type()->ToString()})));
  }
  ARROW_ASSIGN_OR_RAISE(const auto message,
                        arrow::ipc::SerializeSchema(*arrow::schema(std::move(fields))));
  return message->ToString();
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> ListCatalogs(const query::ReadSource& source) {
  return TextRows(CatalogsSchema(), {{source.catalog_name}});
}

Result<std::shared_ptr<arrow::RecordBatch>> ListTableTypes() {
  return TextRows(TableTypesSchema(), {{std::string(kTableType)}});
}

Result<std::shared_ptr<arrow::RecordBatch>> ListDbSchemas(const query::ReadSource& source,
                                                          const std::string& default_schema,
                                                          const ListingFilter& filter) {
  std::set<std::string> names = {default_schema};
  ARROW_ASSIGN_OR_RAISE(const auto tables, source.catalog.ListTables());
  for (const auto& table : tables) {
    if (MaySee(table, filter)) names.insert(table.namespace_name);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& name : names) {
    if (HasCatalog(source, filter) && Matches(name, filter.schema_pattern))
      rows.push_back({source.catalog_name, name});
  }
  return TextRows(DbSchemasSchema(), rows);
}

Result<std::shared_ptr<arrow::RecordBatch>> ListTables(const query::ReadSource& source,
                                                       const ListingFilter& filter,
                                                       bool with_table_schema) {
  const auto& types = filter.table_types;
  const bool wants_tables =
      types.empty() || std::ranges::find(types, std::string(kTableType)) != types.end();
  std::vector<iceberg::TableIdentifier> tables;
  if (HasCatalog(source, filter) && wants_tables) {
    ARROW_ASSIGN_OR_RAISE(tables, source.catalog.ListTables());
  }
  std::ranges::sort(tables);
  std::vector<std::vector<std::string>> rows;
  for (const auto& table : tables) {
    if (!Matches(table.namespace_name, filter.schema_pattern)) continue;
    if (!Matches(table.name, filter.table_pattern) || !MaySee(table, filter)) continue;
    std::vector<std::string> row = {source.catalog_name, table.namespace_name, table.name,
                                    std::string(kTableType)};
    if (with_table_schema) {
      const auto loaded = query::LoadTable(source, table);
      if (!loaded.ok()) {
        const ErrorCode code = CodeOf(loaded.status());
        if (code == ErrorCode::kUnavailable || code == ErrorCode::kIoFailed) return loaded.status();
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto schema, SerializedSchemaOf(source.catalog_name, *loaded));
      row.push_back(std::move(schema));
    }
    rows.push_back(std::move(row));
  }
  return TextRows(TablesSchema(with_table_schema), rows);
}

}  // namespace arka::flight_sql

#include "arka/flight_sql/insert_execution.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/flight_sql/insert_statement.h"
#include "arka/lake/arrow_schema.h"
#include "arka/query/sql_types.h"
#include "arka/query/table_naming.h"
#include "arka/sql/quoting.h"

namespace arka::flight_sql {
namespace {

struct Prepared {
  iceberg::TableIdentifier table;
  std::shared_ptr<arrow::Schema> schema;  // of the table: of what is written
  std::string query;                      // gives rows of that schema
  std::shared_ptr<arrow::Schema> parameters;
};

Result<iceberg::TableIdentifier> TableOf(const InsertContext& context,
                                         std::vector<std::string> parts) {
  parts.insert(parts.begin(), 3 - parts.size(), "");
  return query::TableNaming{context.source.catalog_name, context.default_namespace}.Resolve(
      {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])});
}

// Which column of the query each column of the table takes; nothing: null.
Result<std::vector<std::optional<int>>> SourcesOf(const arrow::Schema& table,
                                                  const InsertStatement& insert) {
  std::vector<std::optional<int>> sources(table.num_fields());
  if (insert.columns.empty()) {
    for (int i = 0; i < table.num_fields(); ++i) sources[i] = i;
    return sources;
  }
  for (size_t i = 0; i < insert.columns.size(); ++i) {
    const int column = table.GetFieldIndex(insert.columns[i]);
    if (column < 0) {
      return Error(ErrorCode::kInvalidRequest, "INSERT: the table has no column '",
                   insert.columns[i].substr(0, 100), "'");
    }
    if (sources[column]) {
      return Error(ErrorCode::kInvalidRequest, "INSERT: column '", insert.columns[i].substr(0, 100),
                   "' is named twice");
    }
    sources[column] = static_cast<int>(i);
  }
  return sources;
}

// The type of each column of the query, by which column of the table takes it.
Result<std::vector<std::string>> TypesOf(const arrow::Schema& table,
                                         const std::vector<std::optional<int>>& sources) {
  std::vector<std::string> types;
  for (int i = 0; i < table.num_fields(); ++i) {
    if (!sources[i]) continue;
    const auto source = static_cast<size_t>(*sources[i]);
    types.resize(std::max(types.size(), source + 1));
    ARROW_ASSIGN_OR_RAISE(types[source], query::SqlTypeOf(*table.field(i)->type()));
  }
  return types;
}

// The query's columns in the table's order, converted to its types.
Result<std::string> ConvertingQuery(const arrow::Schema& table, const InsertStatement& insert,
                                    const std::vector<std::optional<int>>& sources, int columns) {
  std::string select, names;
  for (int i = 0; i < table.num_fields(); ++i) {
    const arrow::Field& field = *table.field(i);
    ARROW_ASSIGN_OR_RAISE(const std::string type, query::SqlTypeOf(*field.type()));
    const std::string source = sources[i] ? "arka_c" + std::to_string(*sources[i]) : "NULL";
    select += (i == 0 ? "" : ", ") + ("CAST(" + source + " AS " + type + ") AS ") +
              sql::Quoted(field.name());
  }
  for (int i = 0; i < columns; ++i) names += (i == 0 ? "arka_c" : ", arka_c") + std::to_string(i);
  return "SELECT " + select + " FROM (" + insert.query + "\n) AS arka_rows(" + names + ")";
}

Result<Prepared> Prepare(const InsertContext& context, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(InsertStatement insert, ParseInsert(sql));
  Prepared prepared;
  ARROW_ASSIGN_OR_RAISE(prepared.table, TableOf(context, insert.table));
  if (context.may_write) ARROW_RETURN_NOT_OK(context.may_write(prepared.table));
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table table,
                        query::LoadTable(context.source, prepared.table));
  prepared.schema = lake::ArrowSchemaOf(*table.metadata->current_schema());
  ARROW_ASSIGN_OR_RAISE(const auto sources, SourcesOf(*prepared.schema, insert));
  ARROW_ASSIGN_OR_RAISE(const auto types, TypesOf(*prepared.schema, sources));
  insert.query = WithTypedParameters(insert.query, types);
  ARROW_ASSIGN_OR_RAISE(const auto described,
                        context.queries.Describe(
                            {insert.query, nullptr, context.may_read, context.default_namespace}));
  prepared.parameters = described.parameters;
  const int columns = described.schema->num_fields();
  const size_t wanted =
      insert.columns.empty() ? prepared.schema->num_fields() : insert.columns.size();
  if (static_cast<size_t>(columns) != wanted) {
    return Error(ErrorCode::kInvalidRequest, "INSERT: ", wanted, " columns are to be written, ",
                 "and the rows have ", columns);
  }
  ARROW_ASSIGN_OR_RAISE(prepared.query,
                        ConvertingQuery(*prepared.schema, insert, sources, columns));
  return prepared;
}

// What the query's batches are, with the table's names and nullability.
Result<std::shared_ptr<arrow::Schema>> WrittenSchema(const arrow::Schema& table,
                                                     const arrow::Schema& result) {
  arrow::FieldVector fields;
  for (int i = 0; i < table.num_fields(); ++i) {
    fields.push_back(
        arrow::field(table.field(i)->name(), result.field(i)->type(), table.field(i)->nullable()));
  }
  return arrow::schema(std::move(fields));
}

Result<int64_t> ExecuteOnce(const InsertContext& context, const Prepared& prepared,
                            const std::shared_ptr<arrow::RecordBatch>& row) {
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      context.queries.Execute({prepared.query, row, context.may_read, context.default_namespace}));
  ARROW_ASSIGN_OR_RAISE(const auto schema, WrittenSchema(*prepared.schema, *rows->schema()));
  return WriteRows(context.engine, prepared.table, schema, *rows, context.options);
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> DescribeInsert(const InsertContext& context,
                                                      const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(const Prepared prepared, Prepare(context, sql));
  return prepared.parameters;
}

Result<int64_t> ExecuteInsert(const InsertContext& context, const std::string& sql,
                              const std::shared_ptr<arrow::RecordBatch>& parameters) {
  ARROW_ASSIGN_OR_RAISE(const Prepared prepared, Prepare(context, sql));
  if (parameters == nullptr) return ExecuteOnce(context, prepared, nullptr);
  int64_t count = 0;
  for (int64_t row = 0; row < parameters->num_rows(); ++row) {
    const auto written = ExecuteOnce(context, prepared, parameters->Slice(row, 1));
    if (!written.ok()) {
      return WithContext(written.status(), "parameter row " + std::to_string(row) + ", after " +
                                               std::to_string(count) + " rows were written");
    }
    count += *written;
  }
  return count;
}

}  // namespace arka::flight_sql

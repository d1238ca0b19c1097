#include "arka/lake/table_schema.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "arka/lake/column_conversion.h"
#include "arka/lake/column_decoding.h"
#include "arka/lake/column_name.h"
#include "arka/lake/schema_mismatch.h"
#include "arka/lake/type_mapping.h"

namespace arka::lake {
namespace {

constexpr char kTruncate[] = "truncate";

/// Adds the dotted names of `field` and everything in it; kInvalidRequest for one that is there
/// ("a.b" and the field b of a struct a): Iceberg's readers find columns by these names.
Status AddFullNames(const iceberg::NestedField& field, const std::string& prefix,
                    std::set<std::string>& names) {
  const std::string full_name = prefix + field.name;
  if (!names.insert(full_name).second) {
    return Error(ErrorCode::kInvalidRequest, "two columns have the full name ",
                 QuotedName(full_name), "; rename one of them");
  }
  if (names.size() > kMaxFields) {
    return Error(ErrorCode::kInvalidRequest, "the schema has more than ", kMaxFields,
                 " fields, counting those within structs, lists and maps");
  }
  for (const auto& child : field.type.fields) {
    ARROW_RETURN_NOT_OK(AddFullNames(child, full_name + ".", names));
  }
  return Status::OK();
}

Status CheckColumnCount(const arrow::Schema& schema) {
  if (schema.num_fields() == 0) {
    return Error(ErrorCode::kInvalidRequest, "the schema has no columns");
  }
  if (schema.num_fields() > kMaxColumns) {
    return Error(ErrorCode::kInvalidRequest, "the schema has ", schema.num_fields(), " columns, ",
                 kMaxColumns, " are allowed");
  }
  return Status::OK();
}

bool HasRequiredField(const iceberg::NestedField& field) {
  return field.required || std::ranges::any_of(field.type.fields, HasRequiredField);
}

Status AtMisfit(const Status& status, const Misfit& misfit) {
  return WithContext(status,
                     "column " + QuotedName(misfit.path) + ", row " + std::to_string(misfit.row));
}

}  // namespace

NanosecondPolicy NanosecondPolicyOf(const std::map<std::string, std::string>& table_properties) {
  const auto property = table_properties.find(kTimestampNsProperty);
  const bool truncate = property != table_properties.end() && property->second == kTruncate;
  return truncate ? NanosecondPolicy::kTruncate : NanosecondPolicy::kRefuse;
}

std::map<std::string, std::string> TableSchema::NewTableProperties() {
  return {{kTimestampNsProperty, kTruncate}, {"write.parquet.compression-codec", "zstd"}};
}

Result<std::shared_ptr<TableSchema>> TableSchema::Map(const arrow::Schema& stream_schema) {
  ARROW_RETURN_NOT_OK(CheckColumnCount(stream_schema));
  std::shared_ptr<TableSchema> mapped(new TableSchema());
  arrow::FieldVector logged, storage;
  std::set<std::string> names;
  for (int i = 0; i < stream_schema.num_fields(); ++i) {
    const arrow::Field& field = *stream_schema.field(i);
    const Status name = CheckColumnName(field.name(), /*top_level=*/true);
    if (!name.ok()) return WithContext(name, "column " + std::to_string(i + 1));
    ARROW_ASSIGN_OR_RAISE(auto column, MapField(field, field.name()));
    ARROW_RETURN_NOT_OK(AddFullNames(column.table, "", names));
    mapped->iceberg_schema_.fields.push_back(std::move(column.table));
    logged.push_back(std::move(column.logged));
    storage.push_back(std::move(column.storage));
    mapped->cuts_nanoseconds_ |= column.cuts_nanoseconds;
  }
  mapped->stream_schema_ = arrow::schema(stream_schema.fields());
  mapped->logged_schema_ = arrow::schema(std::move(logged));
  mapped->storage_schema_ = arrow::schema(std::move(storage));
  mapped->needs_decoding_ =
      !mapped->stream_schema_->Equals(*mapped->logged_schema_, /*check_metadata=*/false);
  return mapped;
}

void TableSchema::Bind(const iceberg::Schema& table) {
  arrow::FieldVector storage;
  columns_.clear();
  needs_conversion_ = false;
  for (int i = 0; i < storage_schema_->num_fields(); ++i) {
    const iceberg::NestedField& column = table.fields[i];
    storage.push_back(WithFieldIds(*storage_schema_->field(i), column));
    const bool same_type = storage.back()->type()->Equals(*logged_schema_->field(i)->type());
    columns_.push_back({.converts = column.type.is_nested() || !same_type,
                        .checks_nulls = HasRequiredField(column)});
    needs_conversion_ |= columns_.back().converts;
  }
  storage_schema_ = arrow::schema(std::move(storage));
  iceberg_schema_ = table;
}

Result<std::shared_ptr<const TableSchema>> TableSchema::FromArrow(
    const arrow::Schema& stream_schema) {
  ARROW_ASSIGN_OR_RAISE(auto mapped, Map(stream_schema));
  int last_column_id = 0;
  mapped->Bind(iceberg::AssignFreshIds(mapped->iceberg_schema_, last_column_id));
  return mapped;
}

Result<std::shared_ptr<const TableSchema>> TableSchema::ForTable(const iceberg::Schema& table,
                                                                 const arrow::Schema& stream_schema,
                                                                 NanosecondPolicy nanoseconds) {
  ARROW_ASSIGN_OR_RAISE(auto mapped, Map(stream_schema));
  ARROW_RETURN_NOT_OK(CheckSchemaMatches(table, mapped->iceberg_schema_));
  if (mapped->cuts_nanoseconds_ && nanoseconds == NanosecondPolicy::kRefuse) {
    return Error(ErrorCode::kSchemaMismatch,
                 "the stream has nanosecond columns, the table stores microseconds: send "
                 "microseconds, or set the table's property ",
                 kTimestampNsProperty, " to ", kTruncate);
  }
  mapped->Bind(table);
  return mapped;
}

Result<std::shared_ptr<arrow::RecordBatch>> TableSchema::ToLogged(
    const std::shared_ptr<arrow::RecordBatch>& streamed, int64_t max_bytes) const {
  if (!needs_decoding_) return streamed;
  arrow::ArrayVector columns;
  for (int i = 0; i < streamed->num_columns(); ++i) {
    const arrow::Field& field = *logged_schema_->field(i);
    auto decoded = DecodeColumn(streamed->column(i), field.type(), max_bytes);
    if (!decoded.ok()) {
      return WithContext(decoded.status(), "column " + QuotedName(field.name()));
    }
    columns.push_back(std::move(*decoded));
  }
  return arrow::RecordBatch::Make(logged_schema_, streamed->num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> TableSchema::ToStorage(
    const std::shared_ptr<arrow::RecordBatch>& logged) const {
  arrow::ArrayVector columns;
  bool changed = false;
  for (int i = 0; i < logged->num_columns(); ++i) {
    if (!needs_conversion_ && !columns_[i].checks_nulls) continue;
    const arrow::Field& storage = *storage_schema_->field(i);
    std::shared_ptr<arrow::Array> column = logged->column(i);
    if (columns_[i].converts) {
      Misfit misfit{storage.name(), 0};
      auto converted = ConvertColumn(column, storage, storage.name(), misfit);
      if (!converted.ok()) return AtMisfit(converted.status(), misfit);
      changed |= *converted != column;
      column = std::move(*converted);
    }
    if (columns_[i].checks_nulls) {
      if (const auto misfit = FindForbiddenNull(*column, storage, storage.name())) {
        return AtMisfit(Error(ErrorCode::kInvalidRequest, "a null where the table allows none"),
                        *misfit);
      }
    }
    columns.push_back(std::move(column));
  }
  if (!changed) return logged;
  return arrow::RecordBatch::Make(storage_schema_, logged->num_rows(), std::move(columns));
}

}  // namespace arka::lake

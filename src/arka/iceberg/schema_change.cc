#include "arka/iceberg/schema_change.h"

#include <algorithm>

namespace arka::iceberg {
namespace {

template <typename... Parts>
Status Refuse(Parts&&... parts) {
  return Error(ErrorCode::kInvalidRequest, std::forward<Parts>(parts)...);
}

bool IsWider(const Type& from, const Type& to) {
  if (from.id == TypeId::kInt) return to.id == TypeId::kLong;
  if (from.id == TypeId::kFloat) return to.id == TypeId::kDouble;
  return from.id == TypeId::kDecimal && to.id == TypeId::kDecimal && from.scale == to.scale &&
         from.precision < to.precision;
}

class Changer {
 public:
  explicit Changer(const TableMetadata& table)
      : table_(table), schema_(*table.current_schema()), last_id_(table.last_column_id) {}

  Status operator()(const AddColumn& change) {
    ARROW_RETURN_NOT_OK(CheckFree(change.name));
    if (MinFormatVersion(change.type) > table_.format_version) {
      return Refuse("column '", change.name, "': tables of format version ", table_.format_version,
                    " have no type ", change.type.ToString());
    }
    schema_.fields.push_back(
        {.id = ++last_id_, .name = change.name, .type = change.type, .doc = change.doc});
    return Status::OK();
  }

  Status operator()(const DropColumn& change) {
    ARROW_ASSIGN_OR_RAISE(const NestedField* column, Find(change.name));
    ARROW_RETURN_NOT_OK(CheckNotNeeded(*column));
    if (schema_.fields.size() == 1) {
      return Refuse("column '", change.name, "' is the last one; a table has at least one");
    }
    std::erase_if(schema_.fields, [&](const NestedField& field) { return &field == column; });
    return Status::OK();
  }

  Status operator()(const RenameColumn& change) {
    ARROW_ASSIGN_OR_RAISE(NestedField * column, Find(change.name));
    if (change.to == change.name) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckFree(change.to));
    column->name = change.to;
    return Status::OK();
  }

  Status operator()(const PromoteColumn& change) {
    ARROW_ASSIGN_OR_RAISE(NestedField * column, Find(change.name));
    if (!IsWider(column->type, change.type)) {
      return Refuse("column '", change.name, "' is ", column->type.ToString(),
                    " and cannot become ", change.type.ToString(),
                    "; allowed are int to long, float to double, and a decimal to one of more "
                    "digits with the same scale");
    }
    column->type = change.type;
    return Status::OK();
  }

  Status operator()(const MakeColumnOptional& change) {
    ARROW_ASSIGN_OR_RAISE(NestedField * column, Find(change.name));
    if (IsIdentifier(*column)) {
      return Refuse("column '", change.name, "' identifies rows and must stay required");
    }
    column->required = false;
    return Status::OK();
  }

  Schema Take() { return std::move(schema_); }

 private:
  Result<NestedField*> Find(const std::string& name) {
    const auto found = std::ranges::find(schema_.fields, name, &NestedField::name);
    if (found != schema_.fields.end()) return &*found;
    return Refuse("there is no column '", name, "'");
  }

  Status CheckFree(const std::string& name) const {
    if (schema_.FindColumn(name) == nullptr) return Status::OK();
    return Refuse("there is a column '", name, "' already");
  }

  bool IsIdentifier(const NestedField& column) const {
    return std::ranges::find(schema_.identifier_field_ids, column.id) !=
           schema_.identifier_field_ids.end();
  }

  Status CheckNotNeeded(const NestedField& column) const {
    const auto is_source = [&](const auto& field) { return field.source_id == column.id; };
    if (IsIdentifier(column)) return Refuse("column '", column.name, "' identifies rows");
    const PartitionSpec* spec = table_.default_spec();
    if (spec != nullptr && std::ranges::any_of(spec->fields, is_source)) {
      return Refuse("column '", column.name, "' is one that the table is partitioned by");
    }
    for (const SortOrder& order : table_.sort_orders) {
      if (order.order_id != table_.default_sort_order_id) continue;
      if (std::ranges::any_of(order.fields, is_source)) {
        return Refuse("column '", column.name, "' is one that the table is sorted by");
      }
    }
    return Status::OK();
  }

  const TableMetadata& table_;
  Schema schema_;
  int last_id_;
};

}  // namespace

Result<Schema> ChangeSchema(const TableMetadata& table, const std::vector<SchemaChange>& changes) {
  if (table.current_schema() == nullptr) {
    return Error(ErrorCode::kCorruption, "the table has no current schema");
  }
  Changer changer(table);
  for (const SchemaChange& change : changes) ARROW_RETURN_NOT_OK(std::visit(changer, change));
  Schema schema = changer.Take();
  ARROW_RETURN_NOT_OK(ValidateSchema(schema, table.format_version));
  return schema;
}

}  // namespace arka::iceberg

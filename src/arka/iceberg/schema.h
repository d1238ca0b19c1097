// A table's schema: its columns with their field ids. Values; nothing here does I/O.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/type.h"

namespace arka::iceberg {

struct Schema {
  int schema_id = 0;
  std::vector<NestedField> fields = {};
  std::vector<int> identifier_field_ids = {};
  /// Further JSON members of the schema, as in NestedField.
  std::string unknown_members = {};

  /// The field with that id at any depth, or null. The pointer lives as long as the schema does.
  const NestedField* FindField(int id) const;

  /// The top-level column with exactly that name, or null.
  const NestedField* FindColumn(std::string_view name) const;

  /// The highest field id at any depth; 0 in a schema without columns.
  int HighestFieldId() const;

  /// Calls `visit` for every field at every depth, parents first.
  void ForEachField(const std::function<void(const NestedField&)>& visit) const;
};

/// Same columns, ids and identifier fields; the schema id is not compared (spec: a schema that is
/// there already is not added again).
bool SameStructure(const Schema& a, const Schema& b);

/// `schema` with new field ids: the columns get `last_column_id` + 1, + 2 … in order, then their
/// children in the same way, column by column, which is what the reference implementations give.
/// Identifier fields are carried over. `last_column_id` moves to the highest id given.
Schema AssignFreshIds(const Schema& schema, int& last_column_id);

/// kInvalidRequest for empty or repeated column names, repeated field ids, map keys that are
/// optional, or types that `format_version` does not have.
Status ValidateSchema(const Schema& schema, int format_version);

}  // namespace arka::iceberg

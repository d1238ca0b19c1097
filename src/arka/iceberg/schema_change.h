// Schema evolution (spec: "Schema Evolution"): a table's columns added, dropped, renamed, promoted
// and made optional, as every reader of the table's older files understands it.
//
// Pure. Columns at the top level only. Field ids stay what they are, and none is given twice.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// An optional column, after the others.
struct AddColumn {
  std::string name = {};
  Type type = {};
  std::string doc = {};
};

struct DropColumn {
  std::string name = {};
};

struct RenameColumn {
  std::string name = {};
  std::string to = {};
};

/// To a wider type: int to long, float to double, decimal to one of more digits.
struct PromoteColumn {
  std::string name = {};
  Type type = {};
};

struct MakeColumnOptional {
  std::string name = {};
};

using SchemaChange =
    std::variant<AddColumn, DropColumn, RenameColumn, PromoteColumn, MakeColumnOptional>;

/// The current schema of `table` after `changes`, in order. kInvalidRequest, naming the column and
/// what is wrong, for a change that the spec does not allow: a column that is not there or is there
/// already, a type that is not wider, a column that a partition, the sort order or the identifier
/// needs, the last column. The schema id is not set.
Result<Schema> ChangeSchema(const TableMetadata& table, const std::vector<SchemaChange>& changes);

}  // namespace arka::iceberg

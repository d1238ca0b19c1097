// How one Arrow field becomes an Iceberg field: the one place that knows which types go where.
//
// Pure functions over schemas (docs/spec/tables.md, "Types"). A field has up to three forms: as the
// stream sends it; as it is logged (dictionaries and run ends replaced by their values); and as it
// is stored, the Arrow form that the Parquet writer takes. Types that Iceberg cannot hold are
// refused with a message that names the column and says what to send instead.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/type.h"

namespace arka::lake {

/// Levels of nesting that a column may have; a plain column has one.
inline constexpr int kMaxNesting = 16;

struct FieldMapping {
  iceberg::NestedField table;            // field ids are 0 at every depth
  std::shared_ptr<arrow::Field> logged;  //
  std::shared_ptr<arrow::Field> storage;
  bool cuts_nanoseconds = false;  // values lose what is below a microsecond
};

/// The forms of `field`; `path` is its dotted name in messages. kInvalidRequest for a type that
/// Iceberg's format version 2 cannot hold, a bad name of a struct's field, or too deep nesting.
Result<FieldMapping> MapField(const arrow::Field& field, const std::string& path, int depth = 1);

/// `storage` with the ids of `table` as PARQUET:field_id metadata and its nullability, at every
/// depth, and with Iceberg's names within lists and maps. Both have the same structure.
std::shared_ptr<arrow::Field> WithFieldIds(const arrow::Field& storage,
                                           const iceberg::NestedField& table);

}  // namespace arka::lake

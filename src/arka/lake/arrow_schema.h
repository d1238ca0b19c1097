// The Arrow form in which a table's rows are read.
//
// Every Iceberg type has one Arrow type (docs/spec/tables.md, "Reading"), the one that rows are
// stored by (type_mapping.h); field ids are at every depth, as PARQUET:field_id metadata. Pure.
#pragma once

#include <memory>
#include <optional>

#include <arrow/type_fwd.h>

#include "arka/iceberg/schema.h"

namespace arka::lake {

std::shared_ptr<arrow::Schema> ArrowSchemaOf(const iceberg::Schema& schema);

/// A field that carries the name, the nullability and the id of `column`.
std::shared_ptr<arrow::Field> FieldOf(const iceberg::NestedField& column,
                                      std::shared_ptr<arrow::DataType> type);

/// The field id that `field` carries, if it does.
std::optional<int> FieldIdOf(const arrow::Field& field);

}  // namespace arka::lake

// Compares a stream's schema with a table's and says, readably, how they differ.
#pragma once

#include "arka/base/error.h"
#include "arka/iceberg/schema.h"

namespace arka::lake {

/// OK where `stream`, a schema mapped from Arrow, can be written to `table`: the same columns in
/// the same order, by name and type, and no optional column into a required one. Field ids are not
/// compared. Else kSchemaMismatch with the first difference, both schemas (long ones around the
/// difference only: the message crosses the wire in a header) and what to do.
Status CheckSchemaMatches(const iceberg::Schema& table, const iceberg::Schema& stream);

}  // namespace arka::lake

// Whether readers other than Arka's find a data file's columns: by the field ids of its roots.
#pragma once

#include <string>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/object_store.h"

namespace arka::lake {

/// Whether the roots of `file` all have field ids, and the nested ones among those that `schema`
/// (ArrowSchemaOf) has are built as they are there: the same names and ids in the same order. Types
/// of leaves may differ. False for what is no plain Parquet file. Reads the file's footer; blocks;
/// errors of the store.
Result<bool> IsFoundByRootIds(ObjectStore& warehouse, const iceberg::DataFile& file,
                              const arrow::Schema& schema);

/// The same, out of a copy of `file` on this machine.
Result<bool> IsCopyFoundByRootIds(const std::string& path, const iceberg::DataFile& file,
                                  const arrow::Schema& schema);

}  // namespace arka::lake

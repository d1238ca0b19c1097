// What a manifest says about a data file's columns, taken from the Parquet footer.
#pragma once

#include <memory>
#include <vector>

#include <arrow/type_fwd.h>
#include <parquet/metadata.h>

#include "arka/iceberg/data_file.h"
#include "arka/iceberg/schema.h"

namespace arka::lake {

/// Fills record_count, split_offsets, sizes, counts and bounds of `file`. Every leaf column gets a
/// size and counts; those within lists and maps get no bounds. `footer` is of a file whose columns
/// carry the field ids of `schema`. Throws parquet::ParquetException for a footer that is not.
void AddFooterMetrics(const parquet::FileMetaData& footer, const iceberg::Schema& schema,
                      iceberg::DataFile& file);

/// Fills nan_value_counts: the NaNs of every float and double column, those in structs included,
/// those within lists and maps not. `columns` are those of `schema`, in order.
void AddNanCounts(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns,
                  const iceberg::Schema& schema, iceberg::DataFile& file);

}  // namespace arka::lake

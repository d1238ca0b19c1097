// Reads one Parquet data file of a table, batch by batch, as the table's schema has its columns
// now.
//
// Columns are found by field id (column_projection.h); those that the table no longer has are not
// read. Memory is bounded by a row group's encoded columns and one batch. Not thread-safe; blocks.
#pragma once

#include <memory>
#include <string>

#include <arrow/record_batch.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/object_store.h"

namespace parquet::arrow {
class FileReader;
}

namespace arka::lake {

class DataFileReader {
 public:
  /// `schema` is ArrowSchemaOf the table's; `warehouse` must outlive the reader. kNotFound where
  /// the file is gone, kUnimplemented for what is not a plain Parquet file with field ids,
  /// kCorruption where it does not parse.
  static Result<std::unique_ptr<DataFileReader>> Open(ObjectStore& warehouse,
                                                      const iceberg::DataFile& file,
                                                      std::shared_ptr<arrow::Schema> schema);

  ~DataFileReader();

  /// The next rows, of the schema; nullptr once there are no more.
  Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  DataFileReader(std::string uri, std::shared_ptr<arrow::Schema> schema);
  Status OpenParquet(ObjectStore& warehouse, const iceberg::DataFile& file);

  const std::string uri_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // out of file_
};

}  // namespace arka::lake

#include "arka/lake/data_file_reader.h"

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "arka/lake/arrow_schema.h"
#include "arka/lake/column_projection.h"
#include "arka/lake/object_file.h"

namespace arka::lake {
namespace {

constexpr int64_t kBatchRows = 64 << 10;

// Whether the table has the column that a root of the file's schema is.
bool IsWanted(const arrow::Schema& schema, int field_id) {
  for (const auto& field : schema.fields()) {
    if (FieldIdOf(*field) == field_id) return true;
  }
  return false;
}

// The file's leaf columns that are to be read. A root without an id is one of them: reading it
// is an error then.
std::vector<int> WantedLeaves(const parquet::SchemaDescriptor& file, const arrow::Schema& schema) {
  std::vector<int> leaves;
  for (int i = 0; i < file.num_columns(); ++i) {
    const int field_id = file.GetColumnRoot(i)->field_id();
    if (field_id < 0 || IsWanted(schema, field_id)) leaves.push_back(i);
  }
  return leaves;
}

// Errors of the store say what they are; any other is the file's.
Status AsDamage(const Status& status) {
  if (status.ok() || status.detail() != nullptr) return status;
  return Error(ErrorCode::kCorruption, status.message());
}

}  // namespace

DataFileReader::DataFileReader(std::string uri, std::shared_ptr<arrow::Schema> schema)
    : uri_(std::move(uri)), schema_(std::move(schema)) {}

DataFileReader::~DataFileReader() = default;

Result<std::unique_ptr<DataFileReader>> DataFileReader::Open(
    ObjectStore& warehouse, const iceberg::DataFile& file, std::shared_ptr<arrow::Schema> schema) {
  std::unique_ptr<DataFileReader> reader(new DataFileReader(file.file_path, std::move(schema)));
  Status opened;
  try {
    opened = reader->OpenParquet(warehouse, file);
  } catch (const parquet::ParquetException& exception) {
    opened = Error(ErrorCode::kCorruption, exception.what());
  }
  if (!opened.ok()) return WithContext(AsDamage(opened), "data file " + file.file_path);
  return reader;
}

Status DataFileReader::OpenParquet(ObjectStore& warehouse, const iceberg::DataFile& file) {
  if (file.file_format != "PARQUET" || file.key_metadata) {
    return Error(ErrorCode::kUnimplemented, "Arka reads unencrypted Parquet files, not ",
                 file.file_format);
  }
  ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse.KeyOf(file.file_path));
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo info, warehouse.Head(key));
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::make_shared<ObjectFile>(warehouse, key, info.size_bytes)));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(kBatchRows);
  properties.set_use_threads(true);
  properties.set_pre_buffer(true);  // few large requests
  properties.set_cache_options(arrow::io::CacheOptions::LazyDefaults());
  builder.properties(properties);
  ARROW_ASSIGN_OR_RAISE(file_, builder.Build());
  const auto& metadata = *file_->parquet_reader()->metadata();
  const std::vector<int> leaves = WantedLeaves(*metadata.schema(), *schema_);
  std::vector<int> row_groups(metadata.num_row_groups());
  std::iota(row_groups.begin(), row_groups.end(), 0);
  return file_->GetRecordBatchReader(row_groups, leaves).Value(&batches_);
}

Result<std::shared_ptr<arrow::RecordBatch>> DataFileReader::Next() {
  const auto next = [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(AsDamage(batches_->ReadNext(&batch)));
    if (batch == nullptr) return batch;
    return ProjectBatch(*batch, *batch->schema(), *schema_);
  };
  try {
    auto batch = next();
    if (batch.ok()) return batch;
    return WithContext(batch.status(), "data file " + uri_);
  } catch (const parquet::ParquetException& exception) {
    return Error(ErrorCode::kCorruption, "data file ", uri_, ": ", exception.what());
  }
}

}  // namespace arka::lake

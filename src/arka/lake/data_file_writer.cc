// A data file is made in four steps: the batches' columns become chunked arrays; every row group is
// written column by column, which bulk-encodes each; the footer is measured for the manifest; the
// whole is Put once.
#include "arka/lake/data_file_writer.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "arka/lake/chunk_merger.h"
#include "arka/lake/data_file_metrics.h"
#include "arka/lake/parts_output_stream.h"

namespace arka::lake {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::ChunkedArray>>;

struct Input {
  Columns columns;
  int64_t rows = 0;
  int64_t bytes = 0;
};

Input ColumnsOf(const arrow::Schema& storage,
                const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  Input input;
  std::vector<arrow::ArrayVector> chunks(storage.num_fields());
  for (const auto& batch : batches) {
    if (batch->num_rows() == 0) continue;
    input.rows += batch->num_rows();
    input.bytes += ReferencedBytes(*batch);
    for (int i = 0; i < storage.num_fields(); ++i) chunks[i].push_back(batch->column(i));
  }
  for (int i = 0; i < storage.num_fields(); ++i) {
    input.columns.push_back(
        std::make_shared<arrow::ChunkedArray>(std::move(chunks[i]), storage.field(i)->type()));
  }
  return input;
}

std::shared_ptr<parquet::WriterProperties> WriterProperties(const DataFileOptions& options) {
  return parquet::WriterProperties::Builder()
      .compression(arrow::Compression::ZSTD)
      ->compression_level(options.zstd_level)
      ->dictionary_pagesize_limit(options.dictionary_bytes)
      ->data_pagesize(options.page_bytes)
      ->enable_store_decimal_as_integer()  // as Iceberg's spec has them, "Parquet"
      ->set_size_statistics_level(parquet::SizeStatisticsLevel::None)
      ->max_row_group_length(options.row_group_rows)
      ->build();
}

Status WriteRowGroups(parquet::arrow::FileWriter& writer, const Input& input,
                      const DataFileOptions& options) {
  const int64_t groups =
      std::max<int64_t>({1, (input.bytes + options.row_group_bytes - 1) / options.row_group_bytes,
                         (input.rows + options.row_group_rows - 1) / options.row_group_rows});
  const int64_t group_rows = (input.rows + groups - 1) / groups;
  for (int64_t first = 0; first < input.rows; first += group_rows) {
    const int64_t count = std::min(group_rows, input.rows - first);
    ARROW_RETURN_NOT_OK(writer.NewRowGroup());
    for (const auto& column : input.columns) {
      ARROW_RETURN_NOT_OK(writer.WriteColumnChunk(column, first, count));
    }
  }
  return writer.Close();
}

/// Parquet's C++ library throws; nothing of that leaves this file.
template <typename Call>
Status CatchParquet(const Call& call) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  return call();
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace

Result<iceberg::DataFile> WriteDataFile(
    ObjectStore& warehouse, const std::string& key, const TableSchema& schema,
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
    const DataFileOptions& options) {
  const Input input = ColumnsOf(*schema.storage_schema(), batches);
  if (input.rows == 0) return Error(ErrorCode::kInvalidRequest, "a data file without rows");
  iceberg::DataFile file;
  auto sink = std::make_shared<PartsOutputStream>();
  const Status written = CatchParquet([&]() -> Status {
    // Without the Arrow schema in the footer: the types are Iceberg's, and field ids say the rest.
    ARROW_ASSIGN_OR_RAISE(
        auto writer, parquet::arrow::FileWriter::Open(
                         *schema.storage_schema(), arrow::default_memory_pool(), sink,
                         WriterProperties(options), parquet::default_arrow_writer_properties()));
    ARROW_RETURN_NOT_OK(WriteRowGroups(*writer, input, options));
    AddFooterMetrics(*writer->metadata(), schema.iceberg_schema(), file);
    return Status::OK();
  });
  if (!written.ok()) return WithContext(written, "data file " + key);
  AddNanCounts(input.columns, schema.iceberg_schema(), file);
  ARROW_ASSIGN_OR_RAISE(file.file_size_in_bytes, sink->Tell());
  ARROW_ASSIGN_OR_RAISE(const auto parts, sink->Finish());
  ARROW_RETURN_NOT_OK(warehouse.Put(key, parts));
  file.file_path = warehouse.Uri(key);
  return file;
}

}  // namespace arka::lake

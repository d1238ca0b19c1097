#include "arka/lake/data_file_shape.h"

#include <memory>
#include <string>
#include <utility>

#include <arrow/io/file.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "arka/lake/arrow_schema.h"
#include "arka/lake/object_file.h"

namespace arka::lake {
namespace {

bool SameShape(const arrow::Field& a, const arrow::Field& b, bool compare_names) {
  const auto& left = *a.type();
  const auto& right = *b.type();
  if (!FieldIdOf(a) || FieldIdOf(a) != FieldIdOf(b)) return false;
  if (compare_names && a.name() != b.name()) return false;
  if (left.num_fields() != right.num_fields()) return false;
  // The names within lists and maps are the writer's choice.
  const bool is_struct = left.id() == arrow::Type::STRUCT;
  if (left.id() == arrow::Type::MAP) {
    if (right.id() != arrow::Type::MAP) return false;
    for (int i = 0; i < 2; ++i) {
      if (!SameShape(*left.field(0)->type()->field(i), *right.field(0)->type()->field(i), false)) {
        return false;
      }
    }
    return true;
  }
  for (int i = 0; i < left.num_fields(); ++i) {
    if (!SameShape(*left.field(i), *right.field(i), is_struct)) return false;
  }
  return true;
}

bool RootsAreFound(const arrow::Schema& file, const arrow::Schema& table) {
  for (const auto& root : file.fields()) {
    const auto id = FieldIdOf(*root);
    if (!id || *id < 0) return false;
    for (const auto& wanted : table.fields()) {
      if (FieldIdOf(*wanted) != id) continue;
      if (!SameShape(*root, *wanted, /*compare_names=*/false)) return false;
    }
  }
  return true;
}

// Whether its columns may be looked for at all.
bool IsPlainParquet(const iceberg::DataFile& file) {
  return file.file_format == "PARQUET" && !file.key_metadata;
}

Result<bool> IsFoundIn(std::shared_ptr<arrow::io::RandomAccessFile> bytes,
                       const iceberg::DataFile& file, const arrow::Schema& schema) {
  try {
    const auto reader = parquet::ParquetFileReader::Open(std::move(bytes));
    const auto metadata = reader->metadata();
    std::shared_ptr<arrow::Schema> columns;
    ARROW_RETURN_NOT_OK(parquet::arrow::FromParquetSchema(
        metadata->schema(), parquet::default_arrow_reader_properties(), nullptr, &columns));
    return RootsAreFound(*columns, schema);
  } catch (const parquet::ParquetException& exception) {
    return Error(ErrorCode::kCorruption, "data file ", file.file_path, ": ", exception.what());
  }
}

}  // namespace

Result<bool> IsFoundByRootIds(ObjectStore& warehouse, const iceberg::DataFile& file,
                              const arrow::Schema& schema) {
  if (!IsPlainParquet(file)) return false;
  ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse.KeyOf(file.file_path));
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo info, warehouse.Head(key));
  return IsFoundIn(std::make_shared<ObjectFile>(warehouse, key, info.size_bytes), file, schema);
}

Result<bool> IsCopyFoundByRootIds(const std::string& path, const iceberg::DataFile& file,
                                  const arrow::Schema& schema) {
  if (!IsPlainParquet(file)) return false;
  ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::io::ReadableFile::Open(path));
  return IsFoundIn(std::move(bytes), file, schema);
}

}  // namespace arka::lake

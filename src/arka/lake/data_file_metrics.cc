#include "arka/lake/data_file_metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include "arka/lake/column_bounds.h"

namespace arka::lake {
namespace {

int64_t StartOf(const parquet::RowGroupMetaData& row_group) {
  const auto column = row_group.ColumnChunk(0);
  return column->has_dictionary_page()
             ? std::min(column->dictionary_page_offset(), column->data_page_offset())
             : column->data_page_offset();
}

void AddColumn(const parquet::FileMetaData& footer, int column, const iceberg::NestedField& field,
               iceberg::DataFile& file) {
  const parquet::ColumnDescriptor& descriptor = *footer.schema()->Column(column);
  ColumnBounds bounds(field.type, descriptor.physical_type());
  const bool is_float =
      field.type.id == iceberg::TypeId::kFloat || field.type.id == iceberg::TypeId::kDouble;
  int64_t size = 0, values = 0, nulls = 0;
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    const auto chunk = footer.RowGroup(i)->ColumnChunk(column);
    size += chunk->total_compressed_size();
    values += chunk->num_values();
    const auto statistics = chunk->encoded_statistics();
    if (statistics == nullptr) {
      bounds.GiveUp();
      continue;
    }
    nulls += statistics->null_count;
    if (statistics->has_min && statistics->has_max) {
      bounds.Add(statistics->min(), statistics->max());
    } else if (!is_float && chunk->num_values() > statistics->null_count) {
      bounds.GiveUp();  // a value too long for the statistics; floats: they are all NaN
    }
  }
  file.column_sizes[field.id] = size;
  file.value_counts[field.id] = values;
  file.null_value_counts[field.id] = nulls;
  if (descriptor.max_repetition_level() > 0) return;
  if (auto lower = bounds.lower()) file.lower_bounds[field.id] = *std::move(lower);
  if (auto upper = bounds.upper()) file.upper_bounds[field.id] = *std::move(upper);
}

template <typename FloatArray>
int64_t CountNans(const arrow::Array& array) {
  const auto& floats = static_cast<const FloatArray&>(array);
  const auto* values = floats.raw_values();
  int64_t count = 0;
  if (floats.null_count() == 0) {
    for (int64_t i = 0; i < floats.length(); ++i) count += values[i] != values[i];
  } else {
    for (int64_t i = 0; i < floats.length(); ++i) {
      count += values[i] != values[i] && floats.IsValid(i);
    }
  }
  return count;
}

void AddNans(const arrow::Array& array, const iceberg::NestedField& field,
             std::map<int, int64_t>& counts) {
  switch (field.type.id) {
    case iceberg::TypeId::kFloat:
      counts[field.id] += CountNans<arrow::FloatArray>(array);
      break;
    case iceberg::TypeId::kDouble:
      counts[field.id] += CountNans<arrow::DoubleArray>(array);
      break;
    case iceberg::TypeId::kStruct: {
      const auto& structs = static_cast<const arrow::StructArray&>(array);
      for (size_t i = 0; i < field.type.fields.size(); ++i) {
        const auto child = structs.GetFlattenedField(static_cast<int>(i));
        if (child.ok()) AddNans(**child, field.type.fields[i], counts);
      }
      break;
    }
    default:
      break;
  }
}

}  // namespace

void AddFooterMetrics(const parquet::FileMetaData& footer, const iceberg::Schema& schema,
                      iceberg::DataFile& file) {
  file.record_count = footer.num_rows();
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    file.split_offsets.push_back(StartOf(*footer.RowGroup(i)));
  }
  for (int i = 0; i < footer.num_columns(); ++i) {
    const int id = footer.schema()->Column(i)->schema_node()->field_id();
    const iceberg::NestedField* field = schema.FindField(id);
    if (field == nullptr) {
      throw parquet::ParquetException("a column without a field id of the table's");
    }
    AddColumn(footer, i, *field, file);
  }
}

void AddNanCounts(const std::vector<std::shared_ptr<arrow::ChunkedArray>>& columns,
                  const iceberg::Schema& schema, iceberg::DataFile& file) {
  for (size_t i = 0; i < columns.size(); ++i) {
    for (const auto& chunk : columns[i]->chunks()) {
      AddNans(*chunk, schema.fields[i], file.nan_value_counts);
    }
  }
}

}  // namespace arka::lake

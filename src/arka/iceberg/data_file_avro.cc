#include "arka/iceberg/data_file_avro.h"

#include <limits>
#include <utility>

#include "arka/base/check.h"

namespace arka::iceberg {
namespace {

void EncodeValue(AvroEncoder& out, int64_t value) { out.Long(value); }
void EncodeValue(AvroEncoder& out, const std::string& value) { out.Bytes(value); }

template <typename T>
void EncodeMap(AvroEncoder& out, const std::map<int, T>& map) {
  out.Branch(1);
  if (!map.empty()) {
    out.BeginBlock(static_cast<int64_t>(map.size()));
    for (const auto& [key, value] : map) {
      out.Long(key);
      EncodeValue(out, value);
    }
  }
  out.EndBlocks();
}

/// An empty list is written as null.
template <typename T>
void EncodeList(AvroEncoder& out, const std::vector<T>& items) {
  out.Branch(items.empty() ? 0 : 1);
  if (items.empty()) return;
  out.BeginBlock(static_cast<int64_t>(items.size()));
  for (const T item : items) out.Long(item);
  out.EndBlocks();
}

void EncodeOptional(AvroEncoder& out, const std::optional<std::string>& value) {
  out.Branch(value ? 1 : 0);
  if (value) out.Bytes(*value);
}

Result<PartitionValue> DecodePartitionValue(const AvroValue& value) {
  if (std::holds_alternative<std::monostate>(value.value)) return PartitionValue();
  if (const bool* v = std::get_if<bool>(&value.value)) return PartitionValue(*v);
  if (const int64_t* v = std::get_if<int64_t>(&value.value)) return PartitionValue(*v);
  if (const float* v = std::get_if<float>(&value.value)) return PartitionValue(*v);
  if (const double* v = std::get_if<double>(&value.value)) return PartitionValue(*v);
  if (const auto* v = std::get_if<std::string>(&value.value)) return PartitionValue(*v);
  return Error(ErrorCode::kCorruption, "iceberg: a partition value is nested");
}

Status CheckNotNegative(int64_t value, std::string_view name) {
  if (value >= 0) return Status::OK();
  return Error(ErrorCode::kCorruption, "iceberg: a data file's ", name, " is ", value);
}

}  // namespace

void EncodeDataFile(AvroEncoder& out, const DataFile& file) {
  ARKA_CHECK(file.partition.empty());
  out.Long(static_cast<int64_t>(file.content));
  out.Bytes(file.file_path);
  out.Bytes(file.file_format);
  out.Long(file.record_count);
  out.Long(file.file_size_in_bytes);
  EncodeMap(out, file.column_sizes);
  EncodeMap(out, file.value_counts);
  EncodeMap(out, file.null_value_counts);
  EncodeMap(out, file.nan_value_counts);
  EncodeMap(out, file.lower_bounds);
  EncodeMap(out, file.upper_bounds);
  EncodeOptional(out, file.key_metadata);
  EncodeList(out, file.split_offsets);
  EncodeList(out, file.equality_ids);
  out.Branch(file.sort_order_id ? 1 : 0);
  if (file.sort_order_id) out.Long(*file.sort_order_id);
  EncodeOptional(out, file.referenced_data_file);
}

Result<DataFile> DecodeDataFile(const AvroRecord& record) {
  DataFile file;
  ARROW_ASSIGN_OR_RAISE(const auto content, record.OptionalInt(134, "content"));
  if (content.value_or(0) < 0 || content.value_or(0) > 2) {
    return Error(ErrorCode::kCorruption, "iceberg: a data file of content ", *content);
  }
  file.content = static_cast<DataFileContent>(content.value_or(0));
  ARROW_ASSIGN_OR_RAISE(file.file_path, record.Bytes(100, "file_path"));
  ARROW_ASSIGN_OR_RAISE(file.file_format, record.Bytes(101, "file_format"));
  ARROW_ASSIGN_OR_RAISE(const AvroRecord partition, record.Record(102, "partition"));
  for (const AvroValue& item : partition.values()) {
    ARROW_ASSIGN_OR_RAISE(PartitionValue value, DecodePartitionValue(item));
    file.partition.push_back(std::move(value));
  }
  ARROW_ASSIGN_OR_RAISE(file.record_count, record.Long(103, "record_count"));
  ARROW_RETURN_NOT_OK(CheckNotNegative(file.record_count, "record_count"));
  ARROW_ASSIGN_OR_RAISE(file.file_size_in_bytes, record.Long(104, "file_size_in_bytes"));
  ARROW_RETURN_NOT_OK(CheckNotNegative(file.file_size_in_bytes, "file_size_in_bytes"));
  ARROW_ASSIGN_OR_RAISE(file.column_sizes, record.LongMap(108, "column_sizes"));
  ARROW_ASSIGN_OR_RAISE(file.value_counts, record.LongMap(109, "value_counts"));
  ARROW_ASSIGN_OR_RAISE(file.null_value_counts, record.LongMap(110, "null_value_counts"));
  ARROW_ASSIGN_OR_RAISE(file.nan_value_counts, record.LongMap(137, "nan_value_counts"));
  ARROW_ASSIGN_OR_RAISE(file.lower_bounds, record.BytesMap(125, "lower_bounds"));
  ARROW_ASSIGN_OR_RAISE(file.upper_bounds, record.BytesMap(128, "upper_bounds"));
  ARROW_ASSIGN_OR_RAISE(file.key_metadata, record.OptionalBytes(131, "key_metadata"));
  ARROW_ASSIGN_OR_RAISE(file.split_offsets, record.LongArray(132, "split_offsets"));
  ARROW_ASSIGN_OR_RAISE(const auto equality_ids, record.LongArray(135, "equality_ids"));
  for (const int64_t id : equality_ids) {
    if (id < 0 || id > std::numeric_limits<int>::max()) {
      return Error(ErrorCode::kCorruption, "iceberg: an equality id is ", id);
    }
    file.equality_ids.push_back(static_cast<int>(id));
  }
  ARROW_ASSIGN_OR_RAISE(file.sort_order_id, record.OptionalInt(140, "sort_order_id"));
  ARROW_ASSIGN_OR_RAISE(file.referenced_data_file,
                        record.OptionalBytes(143, "referenced_data_file"));
  return file;
}

}  // namespace arka::iceberg

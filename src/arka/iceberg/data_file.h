// One data file as a manifest describes it (spec: data_file, format version 2).
//
// Field names are the spec's. Bounds are single-value serialized (single_value.h); the maps go from
// field id to value and hold only the columns that have one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace arka::iceberg {

enum class DataFileContent : uint8_t { kData = 0, kPositionDeletes = 1, kEqualityDeletes = 2 };

/// One value of a partition tuple as Avro holds it: null, boolean, int or long (dates and times
/// too), float, double, or bytes (strings, binary, fixed, decimal).
using PartitionValue = std::variant<std::monostate, bool, int64_t, float, double, std::string>;

struct DataFile {
  DataFileContent content = DataFileContent::kData;
  std::string file_path = {};           // absolute URI
  std::string file_format = "PARQUET";  // AVRO, ORC or PARQUET
  std::vector<PartitionValue> partition = {};
  int64_t record_count = 0;
  int64_t file_size_in_bytes = 0;

  std::map<int, int64_t> column_sizes = {};
  std::map<int, int64_t> value_counts = {};  // nulls and NaNs included
  std::map<int, int64_t> null_value_counts = {};
  std::map<int, int64_t> nan_value_counts = {};
  std::map<int, std::string> lower_bounds = {};
  std::map<int, std::string> upper_bounds = {};

  std::optional<std::string> key_metadata = {};
  std::vector<int64_t> split_offsets = {};  // where the row groups start, ascending
  std::vector<int> equality_ids = {};
  std::optional<int> sort_order_id = {};
  std::optional<std::string> referenced_data_file = {};

  bool operator==(const DataFile&) const = default;
};

}  // namespace arka::iceberg

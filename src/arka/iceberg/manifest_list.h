// A manifest list: the manifests of one snapshot, one record each (spec: "Manifest Lists").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/avro_file.h"

namespace arka::iceberg {

enum class ManifestContent : uint8_t { kData = 0, kDeletes = 1 };

/// Of one partition field, over all files of a manifest.
struct FieldSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan = {};
  std::optional<std::string> lower_bound = {};
  std::optional<std::string> upper_bound = {};
  bool operator==(const FieldSummary&) const = default;
};

/// manifest_file: what a manifest list says of one manifest.
struct ManifestFile {
  std::string manifest_path = {};  // absolute URI
  int64_t manifest_length = 0;
  int partition_spec_id = 0;
  ManifestContent content = ManifestContent::kData;
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int added_files_count = 0;
  int existing_files_count = 0;
  int deleted_files_count = 0;
  int64_t added_rows_count = 0;
  int64_t existing_rows_count = 0;
  int64_t deleted_rows_count = 0;
  std::vector<FieldSummary> partitions = {};
  std::optional<std::string> key_metadata = {};
  bool operator==(const ManifestFile&) const = default;
};

struct ManifestListHeader {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id = {};
  int64_t sequence_number = 0;
};

/// The bytes of a manifest list of format version 2.
Result<std::string> WriteManifestList(const ManifestListHeader& header,
                                      const std::vector<ManifestFile>& manifests, AvroCodec codec,
                                      const AvroSyncMarker& sync_marker);

/// Reads a manifest list of any format version; what version 1 lacks is 0. kCorruption.
Result<std::vector<ManifestFile>> ReadManifestList(std::string_view file);

}  // namespace arka::iceberg

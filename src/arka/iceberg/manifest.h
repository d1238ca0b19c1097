// A manifest: data files (or delete files) of one partition spec, one record each, with what
// happened to them (spec: "Manifests").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/avro_file.h"
#include "arka/iceberg/data_file.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/schema.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

enum class ManifestEntryStatus : uint8_t { kExisting = 0, kAdded = 1, kDeleted = 2 };

struct ManifestEntry {
  ManifestEntryStatus status = ManifestEntryStatus::kAdded;
  /// Nothing means: inherited from the manifest list's record of this manifest.
  std::optional<int64_t> snapshot_id = {};
  std::optional<int64_t> sequence_number = {};
  std::optional<int64_t> file_sequence_number = {};
  DataFile data_file = {};
  bool operator==(const ManifestEntry&) const = default;

  bool is_live() const { return status != ManifestEntryStatus::kDeleted; }
};

/// Collects entries into one manifest of data files of format version 2.
class ManifestWriter {
 public:
  /// kUnimplemented for a partitioned `spec`.
  static Result<ManifestWriter> Make(const Schema& schema, const PartitionSpec& spec,
                                     AvroCodec codec, const AvroSyncMarker& sync_marker);

  Status Append(const ManifestEntry& entry);

  int64_t size_estimate_bytes() const { return file_.size_estimate_bytes(); }

  /// The file's bytes.
  Result<std::string> Finish() { return file_.Finish(); }

  /// The manifest list's record of what was appended, but for the path, length and snapshot that
  /// only the caller knows. `new_sequence_number` is that of the snapshot that adds the manifest.
  ManifestFile Describe(int64_t new_sequence_number) const;

 private:
  ManifestWriter(AvroFileWriter file, int spec_id);

  AvroFileWriter file_;
  ManifestFile description_;
  std::optional<int64_t> lowest_sequence_number_;
  bool has_inherited_sequence_number_ = false;
};

/// The entries of a manifest of any format version, with `manifest`'s snapshot id and sequence
/// number filled in where they are inherited. kCorruption.
Result<std::vector<ManifestEntry>> ReadManifest(std::string_view file,
                                                const ManifestFile& manifest);

}  // namespace arka::iceberg

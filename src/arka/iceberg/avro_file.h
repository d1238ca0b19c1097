// Avro object container files: what manifests and manifest lists are.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/avro_codec.h"
#include "arka/iceberg/avro_schema.h"
#include "arka/iceberg/avro_value.h"

namespace arka::iceberg {

using AvroSyncMarker = std::array<char, 16>;
/// The header's metadata, in the order in which it is written. `avro.schema` and `avro.codec` are
/// among it after reading, and must not be when writing.
using AvroMetadata = std::vector<std::pair<std::string, std::string>>;

class AvroFileWriter {
 public:
  AvroFileWriter(std::string_view schema_json, const AvroMetadata& metadata, AvroCodec codec,
                 const AvroSyncMarker& sync_marker);

  /// Adds one record, already encoded. A block is closed once it holds 64 KiB or so.
  Status Append(std::string_view encoded_record);

  /// The bytes of the file so far, records waiting for their block included.
  int64_t size_estimate_bytes() const;

  /// The whole file. The writer is not to be used after.
  Result<std::string> Finish();

 private:
  Status CloseBlock();

  AvroCodec codec_;
  AvroSyncMarker sync_marker_;
  std::string file_;
  std::string block_;
  int64_t block_records_ = 0;
};

/// One container file from untrusted bytes, wholly in memory.
class AvroFileReader {
 public:
  /// Reads the header. `file` must outlive the reader. kCorruption; kUnimplemented for an unknown
  /// codec.
  static Result<AvroFileReader> Make(std::string_view file);

  const AvroSchema& schema() const { return *schema_; }
  const AvroMetadata& metadata() const { return metadata_; }
  /// The value of one metadata key, or "".
  std::string_view FindMetadata(std::string_view key) const;

  /// Calls `visit` for every record in order, until it or the file fails.
  Status ForEach(const std::function<Status(const AvroValue&)>& visit) const;

 private:
  AvroFileReader() = default;

  AvroSchemaPtr schema_;
  AvroMetadata metadata_;
  AvroCodec codec_ = AvroCodec::kNull;
  std::string_view sync_marker_;
  std::string_view blocks_;
};

}  // namespace arka::iceberg

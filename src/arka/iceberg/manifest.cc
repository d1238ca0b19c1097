#include "arka/iceberg/manifest.h"

#include <algorithm>
#include <utility>

#include "arka/iceberg/data_file_avro.h"
#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/manifest_avro_schema.h"
#include "arka/iceberg/schema_json.h"

namespace arka::iceberg {
namespace {

void EncodeOptionalLong(AvroEncoder& out, std::optional<int64_t> value) {
  out.Branch(value ? 1 : 0);
  if (value) out.Long(*value);
}

Result<ManifestEntry> Decode(const AvroRecord& record) {
  ManifestEntry entry;
  ARROW_ASSIGN_OR_RAISE(const int status, record.Int(0, "status"));
  if (status < 0 || status > 2) {
    return Error(ErrorCode::kCorruption, "iceberg: a manifest entry of status ", status);
  }
  entry.status = static_cast<ManifestEntryStatus>(status);
  ARROW_ASSIGN_OR_RAISE(entry.snapshot_id, record.OptionalLong(1, "snapshot_id"));
  ARROW_ASSIGN_OR_RAISE(entry.sequence_number, record.OptionalLong(3, "sequence_number"));
  ARROW_ASSIGN_OR_RAISE(entry.file_sequence_number, record.OptionalLong(4, "file_sequence_number"));
  ARROW_ASSIGN_OR_RAISE(const AvroRecord data_file, record.Record(2, "data_file"));
  ARROW_ASSIGN_OR_RAISE(entry.data_file, DecodeDataFile(data_file));
  return entry;
}

/// Spec: "Sequence Number Inheritance". Files of format version 1 have sequence number 0.
void Inherit(ManifestEntry& entry, const ManifestFile& manifest) {
  if (!entry.snapshot_id) entry.snapshot_id = manifest.added_snapshot_id;
  const bool inherits =
      manifest.sequence_number == 0 || entry.status == ManifestEntryStatus::kAdded;
  if (!inherits) return;
  if (!entry.sequence_number) entry.sequence_number = manifest.sequence_number;
  if (!entry.file_sequence_number) entry.file_sequence_number = manifest.sequence_number;
}

}  // namespace

ManifestWriter::ManifestWriter(AvroFileWriter file, int spec_id) : file_(std::move(file)) {
  description_.partition_spec_id = spec_id;
}

Result<ManifestWriter> ManifestWriter::Make(const Schema& schema, const PartitionSpec& spec,
                                            AvroCodec codec, const AvroSyncMarker& sync_marker) {
  if (!spec.is_unpartitioned()) {
    return Error(ErrorCode::kUnimplemented,
                 "iceberg: writing to partitioned tables is not supported (spec ", spec.spec_id,
                 ")");
  }
  const AvroMetadata metadata = {
      {"schema", DumpJson(SchemaToJson(schema))},
      {"partition-spec", "[]"},
      {"partition-spec-id", std::to_string(spec.spec_id)},
      {"format-version", "2"},
      {"content", "data"},
  };
  return ManifestWriter(AvroFileWriter(ManifestEntryAvroSchema(), metadata, codec, sync_marker),
                        spec.spec_id);
}

Status ManifestWriter::Append(const ManifestEntry& entry) {
  AvroEncoder out;
  out.Long(static_cast<int64_t>(entry.status));
  EncodeOptionalLong(out, entry.snapshot_id);
  EncodeOptionalLong(out, entry.sequence_number);
  EncodeOptionalLong(out, entry.file_sequence_number);
  EncodeDataFile(out, entry.data_file);

  const int64_t rows = entry.data_file.record_count;
  switch (entry.status) {
    case ManifestEntryStatus::kAdded:
      ++description_.added_files_count;
      description_.added_rows_count += rows;
      break;
    case ManifestEntryStatus::kExisting:
      ++description_.existing_files_count;
      description_.existing_rows_count += rows;
      break;
    case ManifestEntryStatus::kDeleted:
      ++description_.deleted_files_count;
      description_.deleted_rows_count += rows;
      break;
  }
  if (!entry.sequence_number) {
    has_inherited_sequence_number_ = true;
  } else if (entry.is_live()) {
    lowest_sequence_number_ =
        std::min(lowest_sequence_number_.value_or(*entry.sequence_number), *entry.sequence_number);
  }
  return file_.Append(out.bytes());
}

ManifestFile ManifestWriter::Describe(int64_t new_sequence_number) const {
  ManifestFile description = description_;
  description.sequence_number = new_sequence_number;
  description.min_sequence_number =
      has_inherited_sequence_number_
          ? std::min(new_sequence_number, lowest_sequence_number_.value_or(new_sequence_number))
          : lowest_sequence_number_.value_or(new_sequence_number);
  return description;
}

Result<std::vector<ManifestEntry>> ReadManifest(std::string_view file,
                                                const ManifestFile& manifest) {
  ARROW_ASSIGN_OR_RAISE(const AvroFileReader reader, AvroFileReader::Make(file));
  std::vector<ManifestEntry> entries;
  ARROW_RETURN_NOT_OK(reader.ForEach([&](const AvroValue& value) -> Status {
    ARROW_ASSIGN_OR_RAISE(const AvroRecord record, AvroRecord::Make(reader.schema(), value));
    ARROW_ASSIGN_OR_RAISE(ManifestEntry entry, Decode(record));
    Inherit(entry, manifest);
    entries.push_back(std::move(entry));
    return Status::OK();
  }));
  return entries;
}

}  // namespace arka::iceberg

#include "arka/iceberg/manifest_list.h"

#include <utility>

#include "arka/iceberg/avro_encoder.h"
#include "arka/iceberg/avro_record.h"
#include "arka/iceberg/manifest_avro_schema.h"

namespace arka::iceberg {
namespace {

void EncodeOptionalBytes(AvroEncoder& out, const std::optional<std::string>& value) {
  out.Branch(value ? 1 : 0);
  if (value) out.Bytes(*value);
}

void EncodeSummary(AvroEncoder& out, const FieldSummary& summary) {
  out.Boolean(summary.contains_null);
  out.Branch(summary.contains_nan ? 1 : 0);
  if (summary.contains_nan) out.Boolean(*summary.contains_nan);
  EncodeOptionalBytes(out, summary.lower_bound);
  EncodeOptionalBytes(out, summary.upper_bound);
}

std::string Encode(const ManifestFile& manifest) {
  AvroEncoder out;
  out.Bytes(manifest.manifest_path);
  out.Long(manifest.manifest_length);
  out.Long(manifest.partition_spec_id);
  out.Long(static_cast<int64_t>(manifest.content));
  out.Long(manifest.sequence_number);
  out.Long(manifest.min_sequence_number);
  out.Long(manifest.added_snapshot_id);
  out.Long(manifest.added_files_count);
  out.Long(manifest.existing_files_count);
  out.Long(manifest.deleted_files_count);
  out.Long(manifest.added_rows_count);
  out.Long(manifest.existing_rows_count);
  out.Long(manifest.deleted_rows_count);
  out.Branch(1);
  if (!manifest.partitions.empty()) {
    out.BeginBlock(static_cast<int64_t>(manifest.partitions.size()));
    for (const FieldSummary& summary : manifest.partitions) EncodeSummary(out, summary);
  }
  out.EndBlocks();
  EncodeOptionalBytes(out, manifest.key_metadata);
  return out.Take();
}

Result<FieldSummary> DecodeSummary(const AvroRecord& record) {
  FieldSummary summary;
  ARROW_ASSIGN_OR_RAISE(const auto contains_null, record.OptionalBool(509, "contains_null"));
  summary.contains_null = contains_null.value_or(false);
  ARROW_ASSIGN_OR_RAISE(summary.contains_nan, record.OptionalBool(518, "contains_nan"));
  ARROW_ASSIGN_OR_RAISE(summary.lower_bound, record.OptionalBytes(510, "lower_bound"));
  ARROW_ASSIGN_OR_RAISE(summary.upper_bound, record.OptionalBytes(511, "upper_bound"));
  return summary;
}

Result<ManifestFile> Decode(const AvroRecord& record) {
  ManifestFile manifest;
  ARROW_ASSIGN_OR_RAISE(manifest.manifest_path, record.Bytes(500, "manifest_path"));
  ARROW_ASSIGN_OR_RAISE(manifest.manifest_length, record.Long(501, "manifest_length"));
  ARROW_ASSIGN_OR_RAISE(manifest.partition_spec_id, record.Int(502, "partition_spec_id"));
  ARROW_ASSIGN_OR_RAISE(const auto version_2_content, record.OptionalInt(517, "content"));
  const int content = version_2_content.value_or(0);
  if (content != 0 && content != 1) {
    return Error(ErrorCode::kCorruption, "iceberg: a manifest of content ", content);
  }
  manifest.content = static_cast<ManifestContent>(content);
  ARROW_ASSIGN_OR_RAISE(auto sequence, record.OptionalLong(515, "sequence_number"));
  manifest.sequence_number = sequence.value_or(0);
  ARROW_ASSIGN_OR_RAISE(sequence, record.OptionalLong(516, "min_sequence_number"));
  manifest.min_sequence_number = sequence.value_or(0);
  ARROW_ASSIGN_OR_RAISE(manifest.added_snapshot_id, record.Long(503, "added_snapshot_id"));
  ARROW_ASSIGN_OR_RAISE(auto files, record.OptionalInt(504, "added_files_count"));
  manifest.added_files_count = files.value_or(0);
  ARROW_ASSIGN_OR_RAISE(files, record.OptionalInt(505, "existing_files_count"));
  manifest.existing_files_count = files.value_or(0);
  ARROW_ASSIGN_OR_RAISE(files, record.OptionalInt(506, "deleted_files_count"));
  manifest.deleted_files_count = files.value_or(0);
  ARROW_ASSIGN_OR_RAISE(auto rows, record.OptionalLong(512, "added_rows_count"));
  manifest.added_rows_count = rows.value_or(0);
  ARROW_ASSIGN_OR_RAISE(rows, record.OptionalLong(513, "existing_rows_count"));
  manifest.existing_rows_count = rows.value_or(0);
  ARROW_ASSIGN_OR_RAISE(rows, record.OptionalLong(514, "deleted_rows_count"));
  manifest.deleted_rows_count = rows.value_or(0);
  ARROW_ASSIGN_OR_RAISE(const auto summaries, record.Records(507, "partitions"));
  for (const AvroRecord& item : summaries) {
    ARROW_ASSIGN_OR_RAISE(FieldSummary summary, DecodeSummary(item));
    manifest.partitions.push_back(std::move(summary));
  }
  ARROW_ASSIGN_OR_RAISE(manifest.key_metadata, record.OptionalBytes(519, "key_metadata"));
  return manifest;
}

}  // namespace

Result<std::string> WriteManifestList(const ManifestListHeader& header,
                                      const std::vector<ManifestFile>& manifests, AvroCodec codec,
                                      const AvroSyncMarker& sync_marker) {
  const std::string parent =
      header.parent_snapshot_id ? std::to_string(*header.parent_snapshot_id) : "null";
  const AvroMetadata metadata = {
      {"snapshot-id", std::to_string(header.snapshot_id)},
      {"parent-snapshot-id", parent},
      {"sequence-number", std::to_string(header.sequence_number)},
      {"format-version", "2"},
  };
  AvroFileWriter writer(ManifestFileAvroSchema(), metadata, codec, sync_marker);
  for (const ManifestFile& manifest : manifests) {
    ARROW_RETURN_NOT_OK(writer.Append(Encode(manifest)));
  }
  return writer.Finish();
}

Result<std::vector<ManifestFile>> ReadManifestList(std::string_view file) {
  ARROW_ASSIGN_OR_RAISE(const AvroFileReader reader, AvroFileReader::Make(file));
  std::vector<ManifestFile> manifests;
  ARROW_RETURN_NOT_OK(reader.ForEach([&](const AvroValue& value) -> Status {
    ARROW_ASSIGN_OR_RAISE(const AvroRecord record, AvroRecord::Make(reader.schema(), value));
    ARROW_ASSIGN_OR_RAISE(ManifestFile manifest, Decode(record));
    manifests.push_back(std::move(manifest));
    return Status::OK();
  }));
  return manifests;
}

}  // namespace arka::iceberg

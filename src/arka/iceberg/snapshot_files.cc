#include "arka/iceberg/snapshot_files.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "arka/iceberg/metadata_file.h"
#include "arka/iceberg/snapshot_reader.h"

namespace arka::iceberg {

SnapshotFiles::SnapshotFiles(const TableMetadata& base, int64_t snapshot_id, ObjectStore& warehouse,
                             Random& random)
    : base_(base),
      snapshot_id_(snapshot_id),
      warehouse_(warehouse),
      random_(random),
      uuid_(MakeUuid(random)) {}

Result<ManifestWriter> SnapshotFiles::NewManifest(int spec_id) {
  const auto spec =
      std::find_if(base_.partition_specs.begin(), base_.partition_specs.end(),
                   [&](const PartitionSpec& candidate) { return candidate.spec_id == spec_id; });
  if (spec == base_.partition_specs.end()) {
    return Error(ErrorCode::kCorruption, "iceberg: there is no partition spec ", spec_id);
  }
  return ManifestWriter::Make(*base_.current_schema(), *spec, AvroCodec::kDeflate, NewSyncMarker());
}

Result<ManifestFile> SnapshotFiles::StoreManifest(ManifestWriter writer) {
  ManifestFile manifest = writer.Describe(sequence_number());
  manifest.added_snapshot_id = snapshot_id_;
  ARROW_ASSIGN_OR_RAISE(std::string bytes, writer.Finish());
  manifest.manifest_length = static_cast<int64_t>(bytes.size());
  const std::string name = uuid_ + "-m" + std::to_string(manifest_count_++) + ".avro";
  ARROW_ASSIGN_OR_RAISE(manifest.manifest_path, Store(name, std::move(bytes)));
  return manifest;
}

Result<std::string> SnapshotFiles::StoreList(const std::vector<ManifestFile>& manifests) {
  ManifestListHeader header;
  header.snapshot_id = snapshot_id_;
  if (base_.current_snapshot() != nullptr) header.parent_snapshot_id = base_.current_snapshot_id;
  header.sequence_number = sequence_number();
  ARROW_ASSIGN_OR_RAISE(std::string bytes,
                        WriteManifestList(header, manifests, AvroCodec::kDeflate, NewSyncMarker()));
  return Store("snap-" + std::to_string(snapshot_id_) + "-0-" + uuid_ + ".avro", std::move(bytes));
}

Result<std::vector<ManifestFile>> SnapshotFiles::ReadBaseList() {
  const Snapshot* current = base_.current_snapshot();
  if (current == nullptr) return std::vector<ManifestFile>();
  return ReadManifestsOf(*current, warehouse_);
}

Result<std::vector<ManifestEntry>> SnapshotFiles::ReadEntries(const ManifestFile& manifest) {
  return ReadEntriesOf(manifest, warehouse_);
}

void SnapshotFiles::Discard(size_t keep) {
  for (size_t i = keep; i < written_.size(); ++i) (void)warehouse_.Delete(written_[i]);
  written_.resize(std::min(keep, written_.size()));
}

Result<std::string> SnapshotFiles::Store(const std::string& name, std::string bytes) {
  ARROW_ASSIGN_OR_RAISE(const std::string key,
                        warehouse_.KeyOf(MetadataDirectory(base_) + "/" + name));
  written_.push_back(key);
  const auto buffer = arrow::Buffer::FromString(std::move(bytes));
  ARROW_RETURN_NOT_OK(warehouse_.Put(key, {&buffer, 1}));
  return warehouse_.Uri(key);
}

AvroSyncMarker SnapshotFiles::NewSyncMarker() {
  AvroSyncMarker marker;
  const uint64_t bits[2] = {random_.Next(), random_.Next()};
  static_assert(sizeof(bits) == sizeof(marker));
  std::memcpy(marker.data(), bits, sizeof(bits));
  return marker;
}

}  // namespace arka::iceberg

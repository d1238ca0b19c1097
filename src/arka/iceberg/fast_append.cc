#include "arka/iceberg/fast_append.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "arka/base/check.h"
#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/metadata_file.h"
#include "arka/iceberg/snapshot_summary.h"

namespace arka::iceberg {
namespace {

AvroSyncMarker NewSyncMarker(Random& random) {
  AvroSyncMarker marker;
  const uint64_t bits[2] = {random.Next(), random.Next()};
  static_assert(sizeof(bits) == sizeof(marker));
  std::memcpy(marker.data(), bits, sizeof(bits));
  return marker;
}

int64_t NewSnapshotId(const TableMetadata& base, Random& random) {
  while (true) {
    const auto id = static_cast<int64_t>(random.Next() >> 1);
    if (id != 0 && base.FindSnapshot(id) == nullptr) return id;
  }
}

/// One append in the making. Steps: the new manifest, the manifest list of it and of the base's
/// manifests, the snapshot.
class Appender {
 public:
  Appender(const Table& base, ObjectStore& warehouse, Random& random, const Clock& clock,
           const AppendRequest& request)
      : base_(*base.metadata),
        warehouse_(warehouse),
        random_(random),
        request_(request),
        uuid_(MakeUuid(random)),
        snapshot_id_(NewSnapshotId(base_, random)),
        sequence_number_(base_.last_sequence_number + 1),
        timestamp_ms_(
            std::max(base_.last_updated_ms, std::chrono::duration_cast<std::chrono::milliseconds>(
                                                clock.WallNow().time_since_epoch())
                                                .count())) {}

  Status Run() {
    std::vector<ManifestFile> manifests;
    if (!request_.files.empty()) {
      ARROW_ASSIGN_OR_RAISE(ManifestFile added, WriteAdded());
      manifests.push_back(std::move(added));
    }
    ARROW_ASSIGN_OR_RAISE(std::vector<ManifestFile> kept, ReadBase());
    std::move(kept.begin(), kept.end(), std::back_inserter(manifests));
    ARROW_ASSIGN_OR_RAISE(manifest_list_, WriteList(manifests));
    return Status::OK();
  }

  PreparedAppend Finish() && {
    const Snapshot* parent = base_.current_snapshot();
    Snapshot snapshot;
    snapshot.snapshot_id = snapshot_id_;
    if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
    snapshot.sequence_number = sequence_number_;
    snapshot.timestamp_ms = timestamp_ms_;
    snapshot.manifest_list = manifest_list_;
    snapshot.summary = AppendSummary(parent, request_.files, request_.summary);
    snapshot.schema_id = base_.current_schema_id;

    SnapshotRef main;
    const auto found = base_.refs.find(kMainBranch);
    if (found != base_.refs.end()) main = found->second;  // its retention settings stay
    main.snapshot_id = snapshot_id_;

    PreparedAppend prepared;
    prepared.snapshot_id = snapshot_id_;
    std::optional<int64_t> base_snapshot;
    if (parent != nullptr) base_snapshot = parent->snapshot_id;
    prepared.requirements = {AssertTableUuid{base_.table_uuid},
                             AssertRefSnapshotId{kMainBranch, base_snapshot}};
    prepared.updates = {AddSnapshot{std::move(snapshot)},
                        SetSnapshotRef{kMainBranch, std::move(main)}};
    if (!request_.properties.empty()) {
      prepared.updates.push_back(SetProperties{request_.properties});
    }
    prepared.written = std::move(written_);
    return prepared;
  }

  /// Deletes what was written, as far as that goes.
  void Abandon() {
    for (const std::string& key : written_) (void)warehouse_.Delete(key);
  }

 private:
  Result<ManifestFile> WriteAdded() {
    ARROW_ASSIGN_OR_RAISE(ManifestWriter writer,
                          ManifestWriter::Make(*base_.current_schema(), *base_.default_spec(),
                                               AvroCodec::kDeflate, NewSyncMarker(random_)));
    for (const DataFile& file : request_.files) {
      ManifestEntry entry;
      entry.snapshot_id = snapshot_id_;
      entry.data_file = file;
      ARROW_RETURN_NOT_OK(writer.Append(entry));
    }
    ManifestFile manifest = writer.Describe(sequence_number_);
    manifest.added_snapshot_id = snapshot_id_;
    ARROW_ASSIGN_OR_RAISE(std::string bytes, writer.Finish());
    manifest.manifest_length = static_cast<int64_t>(bytes.size());
    ARROW_ASSIGN_OR_RAISE(manifest.manifest_path, Write(uuid_ + "-m0.avro", std::move(bytes)));
    return manifest;
  }

  Result<std::vector<ManifestFile>> ReadBase() {
    const Snapshot* parent = base_.current_snapshot();
    if (parent == nullptr) return std::vector<ManifestFile>();
    ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse_.KeyOf(parent->manifest_list));
    ARROW_ASSIGN_OR_RAISE(const auto buffer, warehouse_.Get(key));
    auto manifests = ReadManifestList(std::string_view(*buffer));
    if (!manifests.ok()) return WithContext(manifests.status(), parent->manifest_list);
    return manifests;
  }

  Result<std::string> WriteList(const std::vector<ManifestFile>& manifests) {
    ManifestListHeader header;
    header.snapshot_id = snapshot_id_;
    const Snapshot* parent = base_.current_snapshot();
    if (parent != nullptr) header.parent_snapshot_id = parent->snapshot_id;
    header.sequence_number = sequence_number_;
    ARROW_ASSIGN_OR_RAISE(
        std::string bytes,
        WriteManifestList(header, manifests, AvroCodec::kDeflate, NewSyncMarker(random_)));
    return Write("snap-" + std::to_string(snapshot_id_) + "-0-" + uuid_ + ".avro",
                 std::move(bytes));
  }

  /// Puts one file into the table's metadata directory; answers its URI.
  Result<std::string> Write(const std::string& name, std::string bytes) {
    ARROW_ASSIGN_OR_RAISE(const std::string key,
                          warehouse_.KeyOf(MetadataDirectory(base_) + "/" + name));
    written_.push_back(key);
    const auto buffer = arrow::Buffer::FromString(std::move(bytes));
    ARROW_RETURN_NOT_OK(warehouse_.Put(key, {&buffer, 1}));
    return warehouse_.Uri(key);
  }

  const TableMetadata& base_;
  ObjectStore& warehouse_;
  Random& random_;
  const AppendRequest& request_;
  const std::string uuid_;
  const int64_t snapshot_id_;
  const int64_t sequence_number_;
  const int64_t timestamp_ms_;
  std::string manifest_list_;
  std::vector<std::string> written_;
};

}  // namespace

Result<PreparedAppend> PrepareAppend(const Table& base, ObjectStore& warehouse, Random& random,
                                     const Clock& clock, const AppendRequest& request) {
  ARKA_CHECK(base.metadata != nullptr);
  if (base.metadata->format_version != 2) {
    return Error(ErrorCode::kUnimplemented, "iceberg: ", base.identifier.ToString(),
                 " is of format version ", base.metadata->format_version,
                 "; Arka writes to version 2 only");
  }
  if (!base.metadata->default_spec()->is_unpartitioned()) {
    return Error(ErrorCode::kUnimplemented, "iceberg: ", base.identifier.ToString(),
                 " is partitioned; Arka writes to unpartitioned tables only");
  }
  Appender appender(base, warehouse, random, clock, request);
  const Status done = appender.Run();
  if (!done.ok()) {
    appender.Abandon();
    return WithContext(done, base.identifier.ToString());
  }
  return std::move(appender).Finish();
}

}  // namespace arka::iceberg

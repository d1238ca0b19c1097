// The manifests and the manifest list that one snapshot in the making writes into its table's
// metadata directory, and the reading of those that are there. Owned by one append, on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

class SnapshotFiles {
 public:
  /// For a snapshot on top of `base`'s current one. All references outlive it.
  SnapshotFiles(const TableMetadata& base, int64_t snapshot_id, ObjectStore& warehouse,
                Random& random);

  int64_t snapshot_id() const { return snapshot_id_; }
  int64_t sequence_number() const { return base_.last_sequence_number + 1; }

  /// A writer for the table's current schema and the unpartitioned spec `spec_id`.
  Result<ManifestWriter> NewManifest(int spec_id);
  /// Finishes and stores a manifest; answers its record for the manifest list.
  Result<ManifestFile> StoreManifest(ManifestWriter writer);
  /// Stores the manifest list; answers its URI.
  Result<std::string> StoreList(const std::vector<ManifestFile>& manifests);

  /// The manifests of the base's current snapshot; none where it has no snapshot.
  Result<std::vector<ManifestFile>> ReadBaseList();
  Result<std::vector<ManifestEntry>> ReadEntries(const ManifestFile& manifest);

  /// Keys of everything stored so far, also of what may have failed to be.
  const std::vector<std::string>& written() const { return written_; }
  /// Deletes what was stored after the first `keep` files, as far as that goes.
  void Discard(size_t keep = 0);

 private:
  Result<std::string> Store(const std::string& name, std::string bytes);
  AvroSyncMarker NewSyncMarker();

  const TableMetadata& base_;
  const int64_t snapshot_id_;
  ObjectStore& warehouse_;
  Random& random_;
  const std::string uuid_;
  int manifest_count_ = 0;
  std::vector<std::string> written_;
};

}  // namespace arka::iceberg

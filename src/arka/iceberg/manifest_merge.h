// Merges a table's small manifests into few large ones, so that manifest lists do not grow with
// every append for ever. Governed by the table properties that Java has for it:
// commit.manifest-merge.enabled (true), commit.manifest.min-count-to-merge (100) and
// commit.manifest.target-size-bytes (8 MiB).
#pragma once

#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/snapshot_files.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// `manifests` (of `base`'s current snapshot) with the small unpartitioned data manifests merged
/// where there are enough of them, else as they are; order is kept. Entries of files that are
/// deleted go, the others keep their snapshots and sequence numbers. On an error, what was written
/// for it is deleted again and `manifests` can be used as they are.
Result<std::vector<ManifestFile>> MergeManifests(const TableMetadata& base,
                                                 const std::vector<ManifestFile>& manifests,
                                                 SnapshotFiles& files);

}  // namespace arka::iceberg

// What a snapshot consists of, read from its manifest list and manifests. No state; blocks.
//
// Errors are those of the store, with the file's URI; kCorruption where a file does not parse.
#pragma once

#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/data_file.h"
#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/io/object_store.h"

namespace arka::iceberg {

/// The manifests of `snapshot`.
Result<std::vector<ManifestFile>> ReadManifestsOf(const Snapshot& snapshot, ObjectStore& warehouse);

/// The entries of `manifest`, those of deleted files too.
Result<std::vector<ManifestEntry>> ReadEntriesOf(const ManifestFile& manifest,
                                                 ObjectStore& warehouse);

/// The data files that a read of `snapshot` has to read. kUnimplemented where some of their rows
/// are deleted by delete files: Arka does not read these.
Result<std::vector<DataFile>> ReadDataFilesOf(const Snapshot& snapshot, ObjectStore& warehouse);

}  // namespace arka::iceberg

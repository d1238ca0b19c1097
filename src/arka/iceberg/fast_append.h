// Makes data files into one new snapshot: writes the manifest and the manifest list, and answers
// what to ask the catalog to commit. It commits nothing itself.
//
// After a conflict: load the table again, prepare again on the new base, and delete `written` of
// the attempt that lost. While an outcome is unknown nothing may be deleted, and the same prepared
// append may be committed again: its requirements assert its base, so that it lands at most once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

struct AppendRequest {
  std::vector<DataFile> files = {};                    // may be empty: a snapshot that adds nothing
  std::map<std::string, std::string> summary = {};     // goes into the snapshot's summary as it is
  std::map<std::string, std::string> properties = {};  // table properties set in the same commit
};

struct PreparedAppend {
  int64_t snapshot_id = kNoSnapshotId;
  std::vector<TableRequirement> requirements = {};
  std::vector<TableUpdate> updates = {};
  std::vector<std::string> written = {};  // keys in the warehouse: manifests and the manifest list
};

/// kUnimplemented, saying why, where nothing can be appended to `base`: a table that is not of
/// format version 2, or is partitioned.
Status CheckWritable(const Table& base);

/// Writes the manifest and manifest list of an append on `base` through `warehouse`. Blocks.
/// Errors as CheckWritable; on any error, what was written is deleted again as far as that is
/// possible.
Result<PreparedAppend> PrepareAppend(const Table& base, ObjectStore& warehouse, Random& random,
                                     const Clock& clock, const AppendRequest& request);

}  // namespace arka::iceberg

// Which state of a table a read is to see: the one of now, that of a snapshot, or that of an LSN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::query {

/// At most one of the two is set; neither: now.
struct AsOf {
  std::optional<int64_t> snapshot_id = {};
  /// All writes of this server up to it, and none above it.
  std::optional<Lsn> lsn = {};

  bool is_now() const { return !snapshot_id && !lsn; }
};

/// The newest snapshot that leads to the table's current one and has no write of `node` above
/// `lsn`, but all up to it; nullptr where that is the empty table. kNotFound, saying what can be
/// read, where no snapshot ends there or it has expired. For an LSN below what is committed.
Result<const iceberg::Snapshot*> SnapshotThrough(const iceberg::TableMetadata& metadata,
                                                 const std::string& node, Lsn lsn);

}  // namespace arka::query

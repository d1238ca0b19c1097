// What one read of a table sees: an Iceberg snapshot, and the writes above it out of the log.
//
// The catalog tells, in one answer, the snapshot and how far the table's writes are in it (the
// property `arka.committed-lsn.<node>`); the log has the rest, up to the last write that was on
// disk. So every write that was acknowledged before the read began is in exactly one of the two,
// whatever is written and committed meanwhile. Writes of other nodes are seen once they are
// committed. A read may also be of an older state (AsOf). Immutable; thread-safe; keeps the log's
// writes from being released while it lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/iceberg/catalog.h"
#include "arka/iceberg/data_file.h"
#include "arka/ingest/engine.h"
#include "arka/io/object_store.h"
#include "arka/query/as_of.h"

namespace arka::query {

/// Where tables are read from; all must outlive what reads.
struct ReadSource {
  ingest::Engine& engine;
  iceberg::Catalog& catalog;
  ObjectStore& warehouse;
  std::string node;
  std::chrono::milliseconds patience{10'000};  // for writes that are on their way to the disk
  std::string catalog_name = "lake";           // to clients: catalog.name
};

struct TableSnapshot {
  iceberg::TableIdentifier identifier;
  std::string uuid;
  std::shared_ptr<arrow::Schema> schema;  // ArrowSchemaOf the table's current one
  std::vector<iceberg::DataFile> files;   // of the Iceberg snapshot; none where there is none
  Lsn committed;                          // the log's writes above it are read,
  Lsn through;                            // up to here: what is below is in the files
  std::shared_ptr<const ingest::LogPins::Pin> pin;

  /// Whether there may be any.
  bool has_fresh_rows() const { return through > committed; }
};

/// The table as it is in the catalog: kNotFound where there is none.
Result<iceberg::Table> LoadTable(const ReadSource& source,
                                 const iceberg::TableIdentifier& identifier);

/// Every write to the table that was acknowledged before the call, and perhaps later ones; or what
/// `as_of` says. Blocks. kNotFound where there is no such table, or no such state of it (any more);
/// kTimedOut where the log's disk is slow or full; other
/// errors of catalog and warehouse.
Result<std::shared_ptr<const TableSnapshot>> TakeSnapshot(
    const ReadSource& source, const iceberg::TableIdentifier& identifier, const AsOf& as_of = {});

}  // namespace arka::query

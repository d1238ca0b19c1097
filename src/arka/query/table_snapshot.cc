// The order is what makes it exact.
//
// 1. The pin: what is released after it was committed before it, and the catalog, which is asked
//    later, shows that.
// 2. The last LSN that is on disk. What is committed above it is in the snapshot, and not looked
// for
//    in the log.
// 3. The table's first uncommitted LSN. Every write to the table below it was committed by then, so
//    the catalog, asked later, has it in the snapshot: the log need not be read from what the
//    catalog says but from there, which may be much later. Where no write is uncommitted the log
//    need not be read at all: what came since is above 2, or was sequenced after the read began.
//    The name tells which table; where the catalog has another one under it, this is not known, and
//    the log is read from what the catalog says.
// 4. The catalog: a snapshot, and how far it holds the table's writes.
// 5. The table's last write: whatever is up to 2 was noted before 2 was looked at.
#include "arka/query/table_snapshot.h"

#include <algorithm>
#include <utility>

#include "arka/iceberg/snapshot_reader.h"
#include "arka/lake/arrow_schema.h"
#include "arka/lake/table_committer.h"

namespace arka::query {
namespace {

// Where the log has to be read, given what was known before the catalog was asked.
void NarrowLog(const ReadSource& source, const std::optional<ingest::LogSpan>& uncommitted,
               TableSnapshot& snapshot) {
  if (uncommitted && uncommitted->table_uuid == snapshot.uuid) {
    const Lsn first = uncommitted->first;
    snapshot.committed =
        std::max(snapshot.committed, first == kNoLsn ? snapshot.through : first.previous());
  }
  snapshot.through = std::min(snapshot.through, source.engine.LastWriteTo(snapshot.uuid));
  snapshot.through = std::max(snapshot.through, snapshot.committed);
}

Result<const iceberg::Snapshot*> FindSnapshot(const iceberg::TableMetadata& metadata, int64_t id) {
  if (const auto* found = metadata.FindSnapshot(id)) return found;
  return Error(ErrorCode::kNotFound, "there is no snapshot ", id,
               " (any more); the current one is ", metadata.current_snapshot_id);
}

// The Iceberg snapshot that is read; cuts the log where an LSN is asked for.
Result<const iceberg::Snapshot*> ChooseSnapshot(const iceberg::TableMetadata& metadata,
                                                const std::string& node, const AsOf& as_of,
                                                TableSnapshot& snapshot) {
  if (as_of.snapshot_id) {
    snapshot.through = snapshot.committed;
    return FindSnapshot(metadata, *as_of.snapshot_id);
  }
  if (!as_of.lsn) return metadata.current_snapshot();
  ARROW_ASSIGN_OR_RAISE(const Lsn in_snapshot, lake::CommittedLsnOf(metadata, node));
  if (*as_of.lsn < in_snapshot) {
    snapshot.through = snapshot.committed;
    return SnapshotThrough(metadata, node, *as_of.lsn);
  }
  snapshot.through = std::min(snapshot.through, std::max(*as_of.lsn, snapshot.committed));
  return metadata.current_snapshot();
}

}  // namespace

Result<iceberg::Table> LoadTable(const ReadSource& source,
                                 const iceberg::TableIdentifier& identifier) {
  ARROW_ASSIGN_OR_RAISE(auto table, source.catalog.LoadTable(identifier));
  if (table.metadata->current_schema() != nullptr) return table;
  return Error(ErrorCode::kCorruption, "table ", identifier.ToString(), ": the metadata ",
               table.metadata_location, " has no current schema");
}

Result<std::shared_ptr<const TableSnapshot>> TakeSnapshot(
    const ReadSource& source, const iceberg::TableIdentifier& identifier, const AsOf& as_of) {
  auto snapshot = std::make_shared<TableSnapshot>();
  snapshot->pin = source.engine.PinLog();
  ARROW_ASSIGN_OR_RAISE(snapshot->through, source.engine.AwaitDisk(source.patience));
  if (as_of.lsn && *as_of.lsn > snapshot->through) {
    return Error(ErrorCode::kNotFound, "no write has the LSN ", *as_of.lsn, " yet: the last is ",
                 snapshot->through);
  }
  const auto uncommitted = source.engine.UncommittedOf(identifier);
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table table, LoadTable(source, identifier));
  const iceberg::TableMetadata& metadata = *table.metadata;
  snapshot->identifier = table.identifier;
  snapshot->uuid = metadata.table_uuid;
  ARROW_ASSIGN_OR_RAISE(snapshot->committed, lake::CommittedLsnOf(metadata, source.node));
  NarrowLog(source, uncommitted, *snapshot);
  const auto named = [&](const Status& status) {
    return WithContext(status, "table " + identifier.ToString());
  };
  const auto chosen = ChooseSnapshot(metadata, source.node, as_of, *snapshot);
  if (!chosen.ok()) return named(chosen.status());
  const iceberg::Schema* schema = metadata.current_schema();
  if (as_of.snapshot_id && (*chosen)->schema_id) {
    if (const auto* then = metadata.FindSchema(*(*chosen)->schema_id)) schema = then;
  }
  snapshot->schema = lake::ArrowSchemaOf(*schema);
  if (*chosen != nullptr) {
    auto files = iceberg::ReadDataFilesOf(**chosen, source.warehouse);
    if (!files.ok()) return named(files.status());
    snapshot->files = *std::move(files);
  }
  return snapshot;
}

}  // namespace arka::query

// The order is what makes it exact. The pin comes first: what is released after it was committed
// before it, and the catalog, which is asked later, shows that. The last LSN comes before the
// catalog's answer: what is committed above it is in the snapshot, and the log is read from there.
#include "arka/query/table_snapshot.h"

#include <utility>

#include "arka/iceberg/snapshot_reader.h"
#include "arka/lake/arrow_schema.h"
#include "arka/lake/table_committer.h"

namespace arka::query {

Result<iceberg::Table> LoadTable(const ReadSource& source,
                                 const iceberg::TableIdentifier& identifier) {
  ARROW_ASSIGN_OR_RAISE(auto table, source.catalog.LoadTable(identifier));
  if (table.metadata->current_schema() != nullptr) return table;
  return Error(ErrorCode::kCorruption, "table ", identifier.ToString(), ": the metadata ",
               table.metadata_location, " has no current schema");
}

Result<std::shared_ptr<const TableSnapshot>> TakeSnapshot(
    const ReadSource& source, const iceberg::TableIdentifier& identifier) {
  auto snapshot = std::make_shared<TableSnapshot>();
  snapshot->pin = source.engine.PinLog();
  ARROW_ASSIGN_OR_RAISE(snapshot->through, source.engine.AwaitDisk(source.patience));
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table table, LoadTable(source, identifier));
  const iceberg::TableMetadata& metadata = *table.metadata;
  snapshot->identifier = table.identifier;
  snapshot->uuid = metadata.table_uuid;
  snapshot->schema = lake::ArrowSchemaOf(*metadata.current_schema());
  ARROW_ASSIGN_OR_RAISE(snapshot->committed, lake::CommittedLsnOf(metadata, source.node));
  if (!source.engine.HasWritesAbove(snapshot->committed, snapshot->uuid)) {
    snapshot->through = snapshot->committed;
  }
  if (const auto* current = metadata.current_snapshot()) {
    auto files = iceberg::ReadDataFilesOf(*current, source.warehouse);
    if (!files.ok()) return WithContext(files.status(), "table " + identifier.ToString());
    snapshot->files = *std::move(files);
  }
  return snapshot;
}

}  // namespace arka::query

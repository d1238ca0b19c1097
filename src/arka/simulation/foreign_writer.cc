#include "arka/simulation/foreign_writer.h"

#include <set>
#include <string>

#include "arka/iceberg/fast_append.h"
#include "arka/lake/data_file_writer.h"
#include "arka/simulation/row_content.h"

namespace arka::simulation {

Status ForeignWriter::Append(size_t table) {
  const auto& identifier = world_.tables[table];
  const auto loaded = world_.catalog_unruly.LoadTable(identifier);
  if (!loaded.ok()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto schema, lake::TableSchema::ForTable(
                                               *loaded->metadata->current_schema(), *RowSchema()));
  next_id_ -= kMaxRows;
  ARROW_ASSIGN_OR_RAISE(const auto rows, schema->ToStorage(RowsFrom(next_id_, 2)));
  ARROW_ASSIGN_OR_RAISE(const auto location,
                        world_.warehouse_memory.KeyOf(loaded->metadata->location));
  ARROW_ASSIGN_OR_RAISE(
      const auto file,
      lake::WriteDataFile(world_.warehouse_memory,
                          location + "/data/foreign" + std::to_string(next_id_) + ".parquet",
                          *schema, {rows}));
  ARROW_ASSIGN_OR_RAISE(const auto append,
                        iceberg::PrepareAppend(*loaded, world_.warehouse_memory, random_,
                                               world_.clock, {.files = {file}}));
  history_.foreign_ids.push_back(next_id_);
  history_.foreign_ids.push_back(next_id_ + 1);
  // Nobody has committed since the load above: one thread plays them all.
  return world_.catalog_unruly.CommitAtOnce(identifier, append.requirements, append.updates)
      .status();
}

Status ForeignWriter::Expire(size_t table) {
  const auto& identifier = world_.tables[table];
  const auto loaded = world_.catalog_unruly.LoadTable(identifier);
  if (!loaded.ok() || loaded->metadata->snapshots.size() < 2) return Status::OK();
  TableReader reader(world_.warehouse_memory);
  iceberg::RemoveSnapshots expired;
  std::set<std::string> dead, live;
  for (const auto& snapshot : loaded->metadata->snapshots) {
    const bool keep = snapshot.snapshot_id == loaded->metadata->current_snapshot_id;
    if (!keep) expired.snapshot_ids.push_back(snapshot.snapshot_id);
    ARROW_RETURN_NOT_OK(reader.CollectKeys(snapshot, keep ? &live : &dead));
  }
  ARROW_RETURN_NOT_OK(world_.catalog_unruly.CommitAtOnce(identifier, {}, {expired}).status());
  for (const std::string& key : dead) {
    if (!live.contains(key)) ARROW_RETURN_NOT_OK(world_.warehouse_memory.Delete(key));
  }
  return Status::OK();
}

}  // namespace arka::simulation

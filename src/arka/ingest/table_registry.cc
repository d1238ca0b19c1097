#include "arka/ingest/table_registry.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/lake/table_committer.h"

namespace arka::ingest {
namespace {

// How many stream schemas one table's entry remembers; the oldest go first. A stream that was
// opened keeps its own alive.
constexpr size_t kMaxOpened = 64;

Result<std::shared_ptr<const lake::TableSchema>> SchemaFor(const iceberg::Table& table,
                                                           const arrow::Schema& stream_schema) {
  const iceberg::Schema* schema = table.metadata->current_schema();
  if (schema == nullptr) {
    return Error(ErrorCode::kCorruption, "table ", table.identifier.ToString(), ": the metadata ",
                 table.metadata_location, " has no current schema");
  }
  auto made = lake::TableSchema::ForTable(*schema, stream_schema,
                                          lake::NanosecondPolicyOf(table.metadata->properties));
  return made.ok() ? made : WithContext(made.status(), "table " + table.identifier.ToString());
}

}  // namespace

TableRegistry::TableRegistry(iceberg::Catalog& catalog, ObjectStore& warehouse,
                             TableRegistryOptions options, std::function<void(Table&)> on_new)
    : catalog_(catalog),
      warehouse_(warehouse),
      options_(std::move(options)),
      on_new_(std::move(on_new)) {}

std::shared_ptr<const OpenedTable> TableRegistry::Find(const iceberg::TableIdentifier& identifier,
                                                       const arrow::Schema& stream_schema) const {
  std::lock_guard lock(mutex_);
  const auto entry = tables_.find(identifier);
  if (entry == tables_.end()) return nullptr;
  for (const auto& opened : entry->second.opened) {
    if (opened->schema->stream_schema()->Equals(stream_schema, /*check_metadata=*/false)) {
      return opened;
    }
  }
  return nullptr;
}

const Table* TableRegistry::FindTable(const iceberg::TableIdentifier& identifier) const {
  std::lock_guard lock(mutex_);
  const auto entry = tables_.find(identifier);
  return entry == tables_.end() ? nullptr : entry->second.table.get();
}

Result<std::string> TableRegistry::UuidOf(const iceberg::TableIdentifier& identifier) {
  if (const Table* found = FindTable(identifier)) return found->uuid;
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(identifier));
  return loaded.metadata->table_uuid;
}

Result<std::shared_ptr<const OpenedTable>> TableRegistry::Open(
    const iceberg::TableIdentifier& identifier, const arrow::Schema& stream_schema, wal::Log& log) {
  std::lock_guard opening(opening_);
  if (auto found = Find(identifier, stream_schema)) return found;
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, LoadOrCreate(identifier, stream_schema));
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaFor(loaded, stream_schema));
  ARROW_ASSIGN_OR_RAISE(Entry * entry, Register(loaded, schema));
  if (entry->table->committed_at_open > log.last_lsn()) {
    return Error(ErrorCode::kUnavailable, "table ", identifier.ToString(), ": node '",
                 options_.node, "' has committed writes up to LSN ",
                 entry->table->committed_at_open.value, ", but this server's log ends at ",
                 log.last_lsn().value,
                 "; either two servers share a server.node_id, or the data directory is a new "
                 "one: give this server a server.node_id of its own");
  }

  auto opened = std::make_shared<OpenedTable>();
  opened->table = entry->table.get();
  opened->schema = schema;
  std::shared_ptr<arrow::Buffer> bytes;
  ARROW_ASSIGN_OR_RAISE(
      bytes, EncodeTableDefinition({identifier, entry->table->uuid, schema->logged_schema()}));
  {
    std::lock_guard lock(mutex_);
    opened->definition = wal::DefinitionId{++last_definition_};
  }
  ARROW_RETURN_NOT_OK(log.Define({opened->definition, std::move(bytes)}));
  std::lock_guard lock(mutex_);
  if (entry->opened.size() >= kMaxOpened) entry->opened.erase(entry->opened.begin());
  entry->opened.push_back(opened);
  by_definition_[opened->definition] = opened;
  return opened;
}

Result<iceberg::Table> TableRegistry::LoadOrCreate(const iceberg::TableIdentifier& identifier,
                                                   const arrow::Schema& stream_schema) {
  auto loaded = catalog_.LoadTable(identifier);
  if (loaded.ok() || CodeOf(loaded.status()) != ErrorCode::kNotFound) return loaded;
  if (!options_.auto_create) {
    return Error(ErrorCode::kNotFound, "no table ", identifier.ToString(),
                 "; create it, or allow it with tables.auto_create: true");
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, lake::TableSchema::FromArrow(stream_schema));
  auto created = catalog_.CreateTable(
      identifier,
      {schema->iceberg_schema(), lake::TableSchema::NewTableProperties(), std::nullopt});
  if (created.ok()) {
    spdlog::info("tables: created {}", identifier.ToString());
    return created;
  }
  // Somebody else, or an attempt of ours whose answer was lost, may have been first.
  const ErrorCode code = CodeOf(created.status());
  if (code != ErrorCode::kAlreadyExists && code != ErrorCode::kCommitUnknown) return created;
  return catalog_.LoadTable(identifier);
}

Result<TableRegistry::Entry*> TableRegistry::Register(
    const iceberg::Table& loaded, const std::shared_ptr<const lake::TableSchema>& schema) {
  const auto& metadata = *loaded.metadata;
  ARROW_ASSIGN_OR_RAISE(const std::string location, warehouse_.KeyOf(metadata.location));
  ARROW_ASSIGN_OR_RAISE(const Lsn committed, lake::CommittedLsnOf(metadata, options_.node));
  Entry* entry = nullptr;
  {
    std::lock_guard lock(mutex_);
    entry = &tables_[loaded.identifier];
    if (entry->table != nullptr) {
      if (entry->table->uuid != metadata.table_uuid) {
        return Error(ErrorCode::kUnavailable, "table ", loaded.identifier.ToString(),
                     " was dropped and made anew while this server had it open; restart the "
                     "server to write to the new one");
      }
      return entry;
    }
    entry->table =
        std::make_unique<Table>(TableId{++last_table_id_}, loaded.identifier, metadata.table_uuid,
                                location + "/data/", schema, committed);
  }
  on_new_(*entry->table);
  return entry;
}

Status TableRegistry::Restore(wal::DefinitionId id, const TableDefinition& definition) {
  {
    std::lock_guard lock(mutex_);
    last_definition_ = std::max(last_definition_, id.value);
  }
  const std::string name = definition.identifier.ToString();
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(definition.identifier));
  const auto& metadata = *loaded.metadata;
  if (metadata.table_uuid != definition.table_uuid) {
    return Error(ErrorCode::kNotFound, "table ", name, " with UUID ", definition.table_uuid,
                 " is gone; the catalog has another one of that name, UUID ", metadata.table_uuid);
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaFor(loaded, *definition.logged_schema));
  ARROW_ASSIGN_OR_RAISE(Entry * entry, Register(loaded, schema));
  auto opened = std::make_shared<OpenedTable>();
  opened->table = entry->table.get();
  opened->schema = std::move(schema);
  opened->definition = id;
  std::lock_guard lock(mutex_);
  by_definition_[id] = opened;
  entry->opened.push_back(std::move(opened));
  return Status::OK();
}

std::shared_ptr<const OpenedTable> TableRegistry::OfDefinition(wal::DefinitionId id) const {
  std::lock_guard lock(mutex_);
  const auto found = by_definition_.find(id);
  return found == by_definition_.end() ? nullptr : found->second;
}

}  // namespace arka::ingest

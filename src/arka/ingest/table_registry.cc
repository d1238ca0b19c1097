#include "arka/ingest/table_registry.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/iceberg/fast_append.h"
#include "arka/lake/table_committer.h"
#include "arka/lake/table_lookup.h"

namespace arka::ingest {
namespace {

// How many stream schemas one table's entry remembers; the oldest go first. A stream that was
// opened keeps its own alive.
constexpr size_t kMaxOpened = 64;

using SchemaResult = Result<std::shared_ptr<const lake::TableSchema>>;

SchemaResult SchemaFor(const iceberg::Table& table, const arrow::Schema& stream_schema) {
  const iceberg::Schema* schema = table.metadata->current_schema();
  if (schema == nullptr) {
    return Error(ErrorCode::kCorruption, "table ", table.identifier.ToString(), ": the metadata ",
                 table.metadata_location, " has no current schema");
  }
  auto made = lake::TableSchema::ForTable(*schema, stream_schema,
                                          lake::NanosecondPolicyOf(table.metadata->properties));
  return made.ok() ? made : WithContext(made.status(), "table " + table.identifier.ToString());
}

// The schema that logged writes were converted by, also where the table was altered since: data
// files are mapped by field ids, so those of an older schema stay valid. Definitions of older logs
// do not say which it was: then it is the newest one that they fit.
SchemaResult SchemaOf(const iceberg::Table& table, const TableDefinition& definition) {
  const auto& metadata = *table.metadata;
  std::vector<const iceberg::Schema*> candidates;
  if (definition.schema_id) {
    if (const auto* named = metadata.FindSchema(*definition.schema_id)) candidates = {named};
  } else {
    for (const auto& schema : metadata.schemas) candidates.push_back(&schema);
    std::ranges::sort(candidates, [&](const auto* a, const auto* b) {
      const auto rank = [&](const auto* schema) {
        return std::pair(schema->schema_id == metadata.current_schema_id, schema->schema_id);
      };
      return rank(a) > rank(b);
    });
  }
  for (const iceberg::Schema* schema : candidates) {
    auto made = lake::TableSchema::ForTable(*schema, *definition.logged_schema);
    if (made.ok()) return made;
  }
  return Error(
      ErrorCode::kNotFound, "table ", table.identifier.ToString(), " (UUID ", definition.table_uuid,
      ") no longer has the schema that writes to it are of",
      definition.schema_id ? ", id " + std::to_string(*definition.schema_id) : "",
      ". The writes are kept in the log; they land once the catalog has that schema again");
}

void NoteProperties(Table& table, const iceberg::TableMetadata& metadata) {
  const auto sealed = metadata.properties.find(kSealedProperty);
  table.SetSealed(sealed != metadata.properties.end() && sealed->second == "true");
}

}  // namespace

TableRegistry::TableRegistry(iceberg::Catalog& catalog, ObjectStore& warehouse,
                             TableRegistryOptions options, std::function<void(Table&)> on_new)
    : catalog_(catalog),
      warehouse_(warehouse),
      options_(std::move(options)),
      on_new_(std::move(on_new)) {}

const TableRegistry::Entry* TableRegistry::EntryOf(
    const iceberg::TableIdentifier& identifier) const {
  const auto uuid = names_.find(identifier);
  if (uuid == names_.end()) return nullptr;
  const Entry& entry = tables_.at(uuid->second);
  return entry.table->name() == identifier ? &entry : nullptr;
}

std::shared_ptr<const OpenedTable> TableRegistry::Find(const iceberg::TableIdentifier& identifier,
                                                       const arrow::Schema& stream_schema) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = EntryOf(identifier);
  if (entry == nullptr || entry->table->is_gone()) return nullptr;
  for (const auto& opened : entry->opened) {
    if (opened->schema->iceberg_schema().schema_id == entry->table->schema_id() &&
        opened->schema->stream_schema()->Equals(stream_schema, /*check_metadata=*/false)) {
      return opened;
    }
  }
  return nullptr;
}

const Table* TableRegistry::FindTable(const iceberg::TableIdentifier& identifier) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = EntryOf(identifier);
  return entry == nullptr ? nullptr : entry->table.get();
}

std::vector<const Table*> TableRegistry::Uncommitted() const {
  std::vector<const Table*> found;
  std::lock_guard lock(mutex_);
  for (const auto& [uuid, entry] : tables_) {
    if (entry.table != nullptr && entry.table->has_uncommitted())
      found.push_back(entry.table.get());
  }
  return found;
}

Result<std::string> TableRegistry::UuidOf(const iceberg::TableIdentifier& identifier) {
  const Table* found = FindTable(identifier);
  if (found != nullptr && !found->is_gone()) return found->uuid;
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(identifier));
  return loaded.metadata->table_uuid;
}

const Table* TableRegistry::FindByUuid(const std::string& uuid) const {
  std::lock_guard lock(mutex_);
  const auto found = tables_.find(uuid);
  return found == tables_.end() ? nullptr : found->second.table.get();
}

Result<Table*> TableRegistry::FindKnown(const std::string& uuid) {
  Table* known = nullptr;
  bool held = false;
  {
    std::lock_guard lock(mutex_);
    const auto found = tables_.find(uuid);
    if (found == tables_.end()) return nullptr;
    known = found->second.table.get();
    held = !found->second.held.empty();
  }
  if (held) ARROW_RETURN_NOT_OK(Look(*known));
  return known;
}

Result<std::shared_ptr<const OpenedTable>> TableRegistry::Open(
    const iceberg::TableIdentifier& identifier, const arrow::Schema& stream_schema, wal::Log& log) {
  std::lock_guard opening(opening_);
  if (auto found = Find(identifier, stream_schema)) return found;
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, LoadOrCreate(identifier, stream_schema));
  // What nothing can be committed to would fill the log until somebody alters the table.
  ARROW_RETURN_NOT_OK(iceberg::CheckWritable(loaded));
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
      bytes, EncodeTableDefinition({identifier, entry->table->uuid, schema->logged_schema(),
                                    schema->iceberg_schema().schema_id}));
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

Result<std::string> TableRegistry::Create(const iceberg::TableIdentifier& identifier,
                                          const arrow::Schema& stream_schema) {
  std::lock_guard opening(opening_);
  const auto loaded = catalog_.LoadTable(identifier);
  if (loaded.ok()) {
    return Error(ErrorCode::kAlreadyExists, "table ", identifier.ToString(),
                 " is there, with UUID ", loaded->metadata->table_uuid);
  }
  if (CodeOf(loaded.status()) != ErrorCode::kNotFound) return loaded.status();
  ARROW_RETURN_NOT_OK(CheckMayBeMade(identifier));
  const auto made = Make(identifier, stream_schema);
  if (made.ok()) return made->metadata->table_uuid;
  if (CodeOf(made.status()) != ErrorCode::kCommitUnknown) return made.status();
  return Error(ErrorCode::kUnavailable, "table ", identifier.ToString(),
               " may have been created: ", made.status().message(),
               "; try again, ALREADY_EXISTS then says that it was");
}

// A table that the catalog does not have.
Status TableRegistry::CheckMayBeMade(const iceberg::TableIdentifier& identifier) const {
  const Table* known = FindTable(identifier);
  // What a start found in the log for a table that was gone already may have been committed long
  // ago: nobody can tell any more, and it must not keep the name for ever.
  if (known != nullptr && known->has_uncommitted() && known->last_held == kNoLsn) {
    ARROW_RETURN_NOT_OK(known->CheckThere());
    return Error(ErrorCode::kNotFound, "table ", identifier.ToString(), " (UUID ", known->uuid,
                 ") is gone from the catalog, and writes to it are not committed yet: no new one "
                 "is made in its place. They are kept in the log; bring the table back, and they "
                 "land by themselves. Or, if nobody wants them any more: restart with "
                 "--give-up-writes-of ",
                 known->uuid);
  }
  return Status::OK();
}

Result<iceberg::Table> TableRegistry::Make(const iceberg::TableIdentifier& identifier,
                                           const arrow::Schema& stream_schema) {
  ARROW_ASSIGN_OR_RAISE(auto schema, lake::TableSchema::FromArrow(stream_schema));
  auto created = catalog_.CreateTable(
      identifier,
      {schema->iceberg_schema(), lake::TableSchema::NewTableProperties(), std::nullopt});
  if (created.ok()) spdlog::info("tables: created {}", identifier.ToString());
  return created;
}

Result<iceberg::Table> TableRegistry::LoadOrCreate(const iceberg::TableIdentifier& identifier,
                                                   const arrow::Schema& stream_schema) {
  auto loaded = catalog_.LoadTable(identifier);
  if (loaded.ok() || CodeOf(loaded.status()) != ErrorCode::kNotFound) return loaded;
  ARROW_RETURN_NOT_OK(CheckMayBeMade(identifier));
  if (!options_.auto_create) {
    return Error(ErrorCode::kNotFound, "no table ", identifier.ToString(),
                 "; create it, or allow it with tables.auto_create: true");
  }
  auto created = Make(identifier, stream_schema);
  if (created.ok()) return created;
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
    entry = &tables_[metadata.table_uuid];
    if (entry->table != nullptr) {
      ARROW_RETURN_NOT_OK(TakeBack(*entry, loaded));
      NoteProperties(*entry->table, metadata);
      return entry;
    }
    entry->table =
        std::make_unique<Table>(TableId{++last_table_id_}, loaded.identifier, metadata.table_uuid,
                                location + "/data/", schema, committed);
    NoteProperties(*entry->table, metadata);
    entry->table->NoteFound(loaded.identifier, metadata.current_schema_id);
    names_[loaded.identifier] = metadata.table_uuid;
  }
  on_new_(*entry->table);
  return entry;
}

// The catalog has shown the table: the writes of a table that was gone can be read now.
Status TableRegistry::TakeBack(Entry& entry, const iceberg::Table& loaded) {
  const auto& metadata = *loaded.metadata;
  std::vector<std::shared_ptr<const OpenedTable>> restored;
  for (const auto& [id, definition] : entry.held) {
    auto opened = std::make_shared<OpenedTable>();
    opened->table = entry.table.get();
    ARROW_ASSIGN_OR_RAISE(opened->schema, SchemaOf(loaded, definition));
    opened->definition = id;
    restored.push_back(std::move(opened));
  }
  if (!restored.empty()) {
    ARROW_ASSIGN_OR_RAISE(const std::string location, warehouse_.KeyOf(metadata.location));
    ARROW_ASSIGN_OR_RAISE(const Lsn committed, lake::CommittedLsnOf(metadata, options_.node));
    entry.table->Found(location + "/data/", restored.back()->schema, committed);
    for (auto& opened : restored) {
      by_definition_[opened->definition] = opened;
      entry.opened.push_back(std::move(opened));
    }
    entry.held.clear();
    spdlog::info("tables: {} (UUID {}) is back; its writes go on", loaded.identifier.ToString(),
                 entry.table->uuid);
  }
  if (entry.table->is_gone()) {
    entry.table->SetClosing(false);  // it was dropped, and is back
    NoteProperties(*entry.table, metadata);
  }
  entry.table->NoteFound(loaded.identifier, metadata.current_schema_id);
  names_[loaded.identifier] = entry.table->uuid;
  return Status::OK();
}

Status TableRegistry::Look(Table& table) {
  ARROW_ASSIGN_OR_RAISE(const auto loaded, lake::FindTable(catalog_, table.name(), table.uuid));
  std::lock_guard lock(mutex_);
  return TakeBack(tables_.at(table.uuid), loaded);
}

Result<Table*> TableRegistry::Restore(wal::DefinitionId id, const TableDefinition& definition) {
  Entry* entry = nullptr;
  {
    std::lock_guard lock(mutex_);
    last_definition_ = std::max(last_definition_, id.value);
    entry = &tables_[definition.table_uuid];
  }
  // All definitions of one table are held, or none: its writes land in order.
  if (entry->table == nullptr) {
    auto loaded = lake::FindTable(catalog_, definition.identifier, definition.table_uuid);
    if (loaded.ok()) {
      entry->as_restored = *std::move(loaded);
    } else if (CodeOf(loaded.status()) == ErrorCode::kNotFound) {
      return HoldBack(*entry, id, definition, loaded.status());
    } else {
      return loaded.status();
    }
  }
  if (entry->as_restored.metadata == nullptr) {
    entry->held.emplace(id, definition);
    return entry->table.get();
  }
  auto schema = SchemaOf(entry->as_restored, definition);
  if (!schema.ok()) {
    if (entry->table == nullptr) return HoldBack(*entry, id, definition, schema.status());
    return schema.status();
  }
  ARROW_RETURN_NOT_OK(Register(entry->as_restored, *schema));
  auto opened = std::make_shared<OpenedTable>();
  opened->table = entry->table.get();
  opened->schema = *std::move(schema);
  opened->definition = id;
  std::lock_guard lock(mutex_);
  by_definition_[id] = opened;
  entry->opened.push_back(std::move(opened));
  return entry->table.get();
}

void TableRegistry::Skip(wal::DefinitionId id) {
  std::lock_guard lock(mutex_);
  last_definition_ = std::max(last_definition_, id.value);
}

Table* TableRegistry::HoldBack(Entry& entry, wal::DefinitionId id,
                               const TableDefinition& definition, const Status& reason) {
  {
    std::lock_guard lock(mutex_);
    entry.as_restored = {};
    entry.held.emplace(id, definition);
    entry.table = std::make_unique<Table>(TableId{++last_table_id_}, definition.identifier,
                                          definition.table_uuid, reason);
    names_.try_emplace(definition.identifier, definition.table_uuid);
  }
  on_new_(*entry.table);
  return entry.table.get();
}

std::shared_ptr<const OpenedTable> TableRegistry::OfDefinition(wal::DefinitionId id) const {
  std::lock_guard lock(mutex_);
  const auto found = by_definition_.find(id);
  return found == by_definition_.end() ? nullptr : found->second;
}

}  // namespace arka::ingest

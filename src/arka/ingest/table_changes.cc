#include "arka/ingest/table_changes.h"

#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "arka/iceberg/name_mapping.h"

namespace arka::ingest {
namespace {

constexpr int kAttempts = 20;

}  // namespace

Result<iceberg::Table> TableChanges::Commit(const iceberg::TableIdentifier& identifier,
                                            const MakeChange& make) {
  Status last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(iceberg::Table base, catalog_.LoadTable(identifier));
    auto made = make(*base.metadata);
    if (!made.ok()) return WithContext(made.status(), "table " + identifier.ToString());
    if (made->updates.empty()) return base;
    made->requirements.emplace_back(iceberg::AssertTableUuid{base.metadata->table_uuid});
    auto answer = catalog_.CommitTable(identifier, made->requirements, made->updates);
    if (answer.ok()) return answer;
    last = answer.status();
    if (CodeOf(last) == ErrorCode::kCommitConflict) continue;
    if (CodeOf(last) != ErrorCode::kCommitUnknown) return last;
    return Error(ErrorCode::kUnavailable, "table ", identifier.ToString(),
                 ": the change may have been made: ", last.message(),
                 "; look at the table before you ask again");
  }
  return WithContext(last, "table " + identifier.ToString() + " is changed by others all the time");
}

Result<iceberg::Table> TableChanges::SetSealedProperty(const iceberg::TableIdentifier& identifier,
                                                       bool sealed) {
  return Commit(identifier, [&](const iceberg::TableMetadata& base) -> Result<Change> {
    const auto now = base.properties.find(kSealedProperty);
    if ((now != base.properties.end() && now->second == "true") == sealed) return Change{};
    if (sealed) return Change{{}, {iceberg::SetProperties{{{kSealedProperty, "true"}}}}};
    return Change{{}, {iceberg::RemoveProperties{{kSealedProperty}}}};
  });
}

// First no write gets an LSN, then the catalog is told: what it answers is true at once. Where it
// may have been told, the table stays sealed.
Result<Lsn> TableChanges::Seal(const iceberg::TableIdentifier& identifier) {
  const auto opening = tables_.HoldOpening();
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(identifier));
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(loaded.metadata->table_uuid));
  const bool was_sealed = table != nullptr && table->is_sealed();
  if (table != nullptr) table->SetSealed(true);
  const Lsn last = table == nullptr ? kNoLsn : sequencer_.Settle(*table);
  const Status told = SetSealedProperty(identifier, true).status();
  if (!told.ok()) {
    if (table != nullptr && CodeOf(told) != ErrorCode::kUnavailable) table->SetSealed(was_sealed);
    return told;
  }
  spdlog::info("tables: {} is sealed", identifier.ToString());
  return last;
}

Status TableChanges::Unseal(const iceberg::TableIdentifier& identifier) {
  const auto opening = tables_.HoldOpening();
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table made, SetSealedProperty(identifier, false));
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(made.metadata->table_uuid));
  if (table != nullptr) table->SetSealed(false);
  spdlog::info("tables: {} is open again", identifier.ToString());
  return Status::OK();
}

Result<iceberg::Table> TableChanges::Alter(const iceberg::TableIdentifier& identifier,
                                           const std::vector<iceberg::SchemaChange>& changes) {
  const auto opening = tables_.HoldOpening();
  ARROW_ASSIGN_OR_RAISE(
      iceberg::Table altered,
      Commit(identifier, [&](const iceberg::TableMetadata& base) -> Result<Change> {
        ARROW_ASSIGN_OR_RAISE(iceberg::Schema schema, iceberg::ChangeSchema(base, changes));
        if (iceberg::SameStructure(schema, *base.current_schema())) return Change{};
        Change change;
        change.requirements = {iceberg::AssertCurrentSchemaId{base.current_schema_id},
                               iceberg::AssertLastAssignedFieldId{base.last_column_id}};
        const auto mapping = base.properties.find(iceberg::kNameMappingProperty);
        if (mapping != base.properties.end()) {
          change.updates.emplace_back(iceberg::SetProperties{
              {{mapping->first, iceberg::ExtendedNameMapping(mapping->second, schema)}}});
        }
        change.updates.emplace_back(iceberg::AddSchema{std::move(schema)});
        change.updates.emplace_back(iceberg::SetCurrentSchema{});
        return change;
      }));
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(altered.metadata->table_uuid));
  // New streams are judged by the new schema at once.
  if (table != nullptr) table->NoteFound(altered.identifier, altered.metadata->current_schema_id);
  return altered;
}

Result<IngestStep> TableChanges::PrepareIngest(const iceberg::TableIdentifier& identifier,
                                               const arrow::Schema& schema,
                                               const IngestMode& mode) {
  const auto loaded = catalog_.LoadTable(identifier);
  if (loaded.ok()) {
    if (mode.existing == IngestMode::Existing::kAppend) return IngestStep::kWrite;
    if (mode.existing == IngestMode::Existing::kReplace) return IngestStep::kDropFirst;
    return Error(ErrorCode::kAlreadyExists, "table ", identifier.ToString(), " is there");
  }
  if (CodeOf(loaded.status()) != ErrorCode::kNotFound || !mode.create_missing) {
    return loaded.status();
  }
  ARROW_RETURN_NOT_OK(tables_.Create(identifier, schema).status());
  return IngestStep::kWrite;
}

Result<Table*> TableChanges::BeginDrop(const iceberg::TableIdentifier& identifier) {
  const auto opening = tables_.HoldOpening();
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(identifier));
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(loaded.metadata->table_uuid));
  if (table == nullptr) return nullptr;
  table->SetClosing(true);
  (void)sequencer_.Settle(*table);
  return table;
}

void TableChanges::KeepAfterAll(Table* table) {
  if (table != nullptr && !table->is_gone()) table->SetClosing(false);
}

Result<std::string> TableChanges::Drop(const iceberg::TableIdentifier& identifier) {
  const auto opening = tables_.HoldOpening();
  ARROW_ASSIGN_OR_RAISE(const iceberg::Table loaded, catalog_.LoadTable(identifier));
  const std::string& uuid = loaded.metadata->table_uuid;
  ARROW_ASSIGN_OR_RAISE(Table* const table, tables_.FindKnown(uuid));
  if (table != nullptr) {
    table->SetClosing(true);
    (void)sequencer_.Settle(*table);
    if (table->has_uncommitted()) {
      table->SetClosing(false);
      return Error(ErrorCode::kUnavailable, "table ", identifier.ToString(),
                   " was written to meanwhile, and the writes are not committed yet; try again");
    }
  }
  Status dropped = catalog_.DropTable(identifier);
  const ErrorCode code = CodeOf(dropped);
  if (!dropped.ok() && code != ErrorCode::kNotFound) {
    // Whether it was dropped after all shows at the next look.
    if (table != nullptr) table->SetClosing(false);
    if (code != ErrorCode::kCommitUnknown) return dropped;
    return Error(ErrorCode::kUnavailable, "table ", identifier.ToString(),
                 " may have been dropped: ", dropped.message(), "; try again");
  }
  spdlog::info("tables: dropped {} (UUID {})", identifier.ToString(), uuid);
  if (table != nullptr) {
    (void)table->NoteGone(Error(ErrorCode::kNotFound, "table ", identifier.ToString(), " (UUID ",
                                uuid, ") was dropped"),
                          table->times_found());
  }
  return uuid;
}

}  // namespace arka::ingest

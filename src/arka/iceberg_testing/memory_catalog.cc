#include "arka/iceberg_testing/memory_catalog.h"

#include <utility>

#include "arka/iceberg/metadata_file.h"
#include "arka/iceberg/table_creation.h"

namespace arka::iceberg {
namespace {

Status NoSuchTable(const TableIdentifier& identifier) {
  return Error(ErrorCode::kNotFound, "there is no table ", identifier.ToString());
}

}  // namespace

Result<Table> MemoryCatalog::LoadTable(const TableIdentifier& identifier) {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(identifier);
  if (found == tables_.end()) return NoSuchTable(identifier);
  return found->second;
}

Result<Table> MemoryCatalog::CreateTable(const TableIdentifier& identifier,
                                         const TableCreation& creation) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  const std::lock_guard lock(mutex_);
  if (tables_.contains(identifier)) {
    return Error(ErrorCode::kAlreadyExists, "there is a table ", identifier.ToString());
  }
  const std::string location =
      creation.location ? *creation.location : warehouse_.Uri(DefaultTableKey(identifier, random_));
  ARROW_ASSIGN_OR_RAISE(TableMetadata metadata,
                        NewTableMetadata(creation, location, MakeUuid(random_), clock_.WallNow()));
  Table table{identifier, MetadataDirectory(metadata) + "/00000.metadata.json",
              std::make_shared<const TableMetadata>(std::move(metadata))};
  tables_.emplace(identifier, table);
  return table;
}

Result<Table> MemoryCatalog::CommitTable(const TableIdentifier& identifier,
                                         const std::vector<TableRequirement>& requirements,
                                         const std::vector<TableUpdate>& updates) {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(identifier);
  if (found == tables_.end()) return NoSuchTable(identifier);
  Table& table = found->second;
  ARROW_ASSIGN_OR_RAISE(TableMetadata metadata,
                        Apply(*table.metadata, requirements, updates, clock_.WallNow()));
  AddToMetadataLog(metadata, table.metadata_location, table.metadata->last_updated_ms);
  table.metadata_location =
      MetadataDirectory(metadata) + "/" + MakeUuid(random_) + ".metadata.json";
  table.metadata = std::make_shared<const TableMetadata>(std::move(metadata));
  return table;
}

Result<std::vector<TableIdentifier>> MemoryCatalog::ListTables() {
  const std::lock_guard lock(mutex_);
  std::vector<TableIdentifier> tables;
  for (const auto& [identifier, table] : tables_) tables.push_back(identifier);
  return tables;
}

void MemoryCatalog::Register(Table table) {
  const std::lock_guard lock(mutex_);
  const TableIdentifier identifier = table.identifier;
  tables_.insert_or_assign(identifier, std::move(table));
}

Status MemoryCatalog::RenameTable(const TableIdentifier& from, const TableIdentifier& to) {
  const std::lock_guard lock(mutex_);
  auto node = tables_.extract(from);
  if (node.empty()) return NoSuchTable(from);
  node.key() = node.mapped().identifier = to;
  tables_.insert(std::move(node));
  return Status::OK();
}

Status MemoryCatalog::DropTable(const TableIdentifier& identifier) {
  const std::lock_guard lock(mutex_);
  return tables_.erase(identifier) == 1 ? Status::OK() : NoSuchTable(identifier);
}

}  // namespace arka::iceberg

#include "arka/iceberg/sqlite_catalog.h"

#include <algorithm>

#include "arka/iceberg/metadata_file.h"
#include "arka/iceberg/table_creation.h"

namespace arka::iceberg {
namespace {

constexpr char kCreateTables[] =
    "CREATE TABLE IF NOT EXISTS iceberg_tables ("
    "catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, "
    "table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "
    "previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), "
    "PRIMARY KEY (catalog_name, table_namespace, table_name))";
constexpr char kCreateNamespaceProperties[] =
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties ("
    "catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, "
    "property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000) NOT NULL, "
    "PRIMARY KEY (catalog_name, namespace, property_key))";

Status NoSuchTable(const TableIdentifier& identifier) {
  return Error(ErrorCode::kNotFound, "iceberg: there is no table ", identifier.ToString());
}

}  // namespace

Result<std::unique_ptr<SqliteCatalog>> SqliteCatalog::Make(const SqliteCatalogOptions& options,
                                                           ObjectStore& warehouse, Random& random,
                                                           const Clock& clock) {
  ARROW_ASSIGN_OR_RAISE(auto database,
                        SqliteDatabase::Open(options.path, options.busy_timeout, options.vfs));
  std::unique_ptr<SqliteCatalog> catalog(
      new SqliteCatalog(options.catalog_name, std::move(database), warehouse, random, clock));
  ARROW_RETURN_NOT_OK(catalog->MakeTables());
  return catalog;
}

Status SqliteCatalog::MakeTables() {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(database_->Query(kCreateTables).status());
  ARROW_RETURN_NOT_OK(database_->Query(kCreateNamespaceProperties).status());
  ARROW_ASSIGN_OR_RAISE(const auto columns,
                        database_->Query("SELECT name FROM pragma_table_info('iceberg_tables')"));
  has_type_column_ =
      std::find(columns.begin(), columns.end(), SqliteRow{"iceberg_type"}) != columns.end();
  if (has_type_column_) type_filter_ = " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
  return Status::OK();
}

Result<std::string> SqliteCatalog::MetadataLocation(const TableIdentifier& identifier) {
  const std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      database_->Query("SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ?1 "
                       "AND table_namespace = ?2 AND table_name = ?3" +
                           type_filter_,
                       {catalog_name_, identifier.namespace_name, identifier.name}));
  if (rows.empty()) return NoSuchTable(identifier);
  const SqliteText& location = rows[0][0];
  if (!location) {
    return Error(ErrorCode::kCorruption, "iceberg: the catalog has no metadata location for ",
                 identifier.ToString());
  }
  return *location;
}

Result<Table> SqliteCatalog::LoadTable(const TableIdentifier& identifier) {
  ARROW_ASSIGN_OR_RAISE(std::string location, MetadataLocation(identifier));
  ARROW_ASSIGN_OR_RAISE(TableMetadata metadata, ReadMetadataFile(warehouse_, location));
  return Table{identifier, std::move(location),
               std::make_shared<const TableMetadata>(std::move(metadata))};
}

Result<Table> SqliteCatalog::CreateTable(const TableIdentifier& identifier,
                                         const TableCreation& creation) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  const Result<std::string> existing = MetadataLocation(identifier);
  if (existing.ok()) {
    return Error(ErrorCode::kAlreadyExists, "iceberg: the table ", identifier.ToString(),
                 " is there already");
  }
  if (CodeOf(existing.status()) != ErrorCode::kNotFound) return existing.status();

  std::string location =
      creation.location ? *creation.location : warehouse_.Uri(DefaultTableKey(identifier, random_));
  while (location.ends_with('/')) location.pop_back();
  ARROW_ASSIGN_OR_RAISE(TableMetadata metadata,
                        NewTableMetadata(creation, location, MakeUuid(random_), clock_.WallNow()));
  ARROW_ASSIGN_OR_RAISE(std::string metadata_location,
                        WriteMetadataFile(warehouse_, metadata, /*version=*/0, random_));
  const Status inserted = InsertTable(identifier, metadata_location);
  if (!inserted.ok()) {
    if (CodeOf(inserted) != ErrorCode::kCommitUnknown) Discard(metadata_location);
    return inserted;
  }
  return Table{identifier, std::move(metadata_location),
               std::make_shared<const TableMetadata>(std::move(metadata))};
}

Status SqliteCatalog::InsertTable(const TableIdentifier& identifier,
                                  const std::string& metadata_location) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(database_->Begin());
  const auto insert = [&]() -> Status {
    ARROW_RETURN_NOT_OK(database_
                            ->Change("INSERT OR IGNORE INTO iceberg_namespace_properties "
                                     "(catalog_name, namespace, property_key, property_value) "
                                     "VALUES (?1, ?2, 'exists', 'true')",
                                     {catalog_name_, identifier.namespace_name})
                            .status());
    return database_
        ->Change(std::string("INSERT INTO iceberg_tables (catalog_name, table_namespace, "
                             "table_name, metadata_location, previous_metadata_location") +
                     (has_type_column_ ? ", iceberg_type) VALUES (?1, ?2, ?3, ?4, NULL, 'TABLE')"
                                       : ") VALUES (?1, ?2, ?3, ?4, NULL)"),
                 {catalog_name_, identifier.namespace_name, identifier.name, metadata_location})
        .status();
  };
  const Status inserted = insert();
  if (!inserted.ok()) {
    database_->Rollback();
    if (CodeOf(inserted) != ErrorCode::kAlreadyExists) return inserted;
    return Error(ErrorCode::kAlreadyExists, "iceberg: the table or view ", identifier.ToString(),
                 " is there already");
  }
  return database_->Commit();
}

Result<Table> SqliteCatalog::CommitTable(const TableIdentifier& identifier,
                                         const std::vector<TableRequirement>& requirements,
                                         const std::vector<TableUpdate>& updates) {
  ARROW_ASSIGN_OR_RAISE(const Table base, LoadTable(identifier));
  ARROW_ASSIGN_OR_RAISE(TableMetadata metadata,
                        Apply(*base.metadata, requirements, updates, clock_.WallNow()));
  AddToMetadataLog(metadata, base.metadata_location, base.metadata->last_updated_ms);
  ARROW_ASSIGN_OR_RAISE(std::string location,
                        WriteMetadataFile(warehouse_, metadata,
                                          MetadataVersion(base.metadata_location) + 1, random_));
  const Status swapped = SwapLocation(identifier, base.metadata_location, location);
  if (!swapped.ok()) {
    if (CodeOf(swapped) != ErrorCode::kCommitUnknown) Discard(location);
    return swapped;
  }
  return Table{identifier, std::move(location),
               std::make_shared<const TableMetadata>(std::move(metadata))};
}

Status SqliteCatalog::SwapLocation(const TableIdentifier& identifier, const std::string& from,
                                   const std::string& to) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(database_->Begin());
  const Result<int> changed = database_->Change(
      "UPDATE iceberg_tables SET metadata_location = ?1, previous_metadata_location = ?2 "
      "WHERE catalog_name = ?3 AND table_namespace = ?4 AND table_name = ?5 "
      "AND metadata_location = ?2" +
          type_filter_,
      {to, from, catalog_name_, identifier.namespace_name, identifier.name});
  if (!changed.ok() || *changed != 1) {
    database_->Rollback();
    ARROW_RETURN_NOT_OK(changed.status());
    return Error(ErrorCode::kCommitConflict, "iceberg: somebody else committed to ",
                 identifier.ToString(), " first");
  }
  return database_->Commit();
}

Result<std::vector<TableIdentifier>> SqliteCatalog::ListTables() {
  const std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        database_->Query("SELECT table_namespace, table_name FROM iceberg_tables "
                                         "WHERE catalog_name = ?1" +
                                             type_filter_,
                                         {catalog_name_}));
  std::vector<TableIdentifier> tables;
  for (const SqliteRow& row : rows) {
    tables.push_back({.namespace_name = row[0].value_or(""), .name = row[1].value_or("")});
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

Status SqliteCatalog::DropTable(const TableIdentifier& identifier) {
  const std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(database_->Begin());
  const Result<int> dropped = database_->Change(
      "DELETE FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 "
      "AND table_name = ?3" +
          type_filter_,
      {catalog_name_, identifier.namespace_name, identifier.name});
  if (!dropped.ok() || *dropped != 1) {
    database_->Rollback();
    ARROW_RETURN_NOT_OK(dropped.status());
    return NoSuchTable(identifier);
  }
  return database_->Commit();
}

void SqliteCatalog::Discard(const std::string& metadata_location) {
  const Result<std::string> key = warehouse_.KeyOf(metadata_location);
  if (key.ok()) (void)warehouse_.Delete(*key);
}

}  // namespace arka::iceberg

// The catalog in one SQLite file, shared with PyIceberg's SqlCatalog and Java's JdbcCatalog.
//
// Tables iceberg_tables and iceberg_namespace_properties as those create them; Java's first layout,
// without iceberg_type, is used as it stands. A commit writes a new metadata file into the
// warehouse and then swaps metadata_location where it still is the base's, in one durable
// transaction. Other processes may use the same file at the same time.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/iceberg/sqlite_database.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

struct SqliteCatalogOptions {
  std::string path = {};              // of the database file; its directory must exist
  std::string catalog_name = "lake";  // a key in both tables
  std::chrono::milliseconds busy_timeout = std::chrono::seconds(10);
  std::string vfs = {};  // of SQLite; "" is the default one
};

class SqliteCatalog final : public Catalog {
 public:
  /// Opens the file and makes the tables that are missing. The references outlive the catalog;
  /// `warehouse` must hold every table's location.
  static Result<std::unique_ptr<SqliteCatalog>> Make(const SqliteCatalogOptions& options,
                                                     ObjectStore& warehouse, Random& random,
                                                     const Clock& clock);

  Result<Table> LoadTable(const TableIdentifier& identifier) override;
  Result<Table> CreateTable(const TableIdentifier& identifier,
                            const TableCreation& creation) override;
  Result<Table> CommitTable(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates) override;
  Result<std::vector<TableIdentifier>> ListTables() override;
  Status DropTable(const TableIdentifier& identifier) override;

 private:
  SqliteCatalog(std::string catalog_name, std::unique_ptr<SqliteDatabase> database,
                ObjectStore& warehouse, Random& random, const Clock& clock)
      : catalog_name_(std::move(catalog_name)),
        warehouse_(warehouse),
        random_(random),
        clock_(clock),
        database_(std::move(database)) {}

  Status MakeTables();
  Result<std::string> MetadataLocation(const TableIdentifier& identifier);
  /// Writes the row of a new table, and its namespace's.
  Status InsertTable(const TableIdentifier& identifier, const std::string& metadata_location);
  /// The compare-and-swap. kCommitConflict, kCommitUnknown, or certain failures.
  Status SwapLocation(const TableIdentifier& identifier, const std::string& from,
                      const std::string& to);
  /// Deletes a metadata file that certainly nothing refers to.
  void Discard(const std::string& metadata_location);

  const std::string catalog_name_;
  ObjectStore& warehouse_;
  Random& random_;
  const Clock& clock_;

  std::mutex mutex_;
  const std::unique_ptr<SqliteDatabase> database_;  // guarded by mutex_
  std::string type_filter_;                         // guarded by mutex_; " AND …" on iceberg_type
  bool has_type_column_ = false;                    // guarded by mutex_
};

}  // namespace arka::iceberg

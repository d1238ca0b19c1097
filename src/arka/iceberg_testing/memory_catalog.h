// The Catalog seam in memory, for tests. Metadata is kept as values; metadata locations look like
// real ones, but no file is written there. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

class MemoryCatalog final : public Catalog {
 public:
  /// The references outlive the catalog; `warehouse` only says where tables lie.
  MemoryCatalog(const ObjectStore& warehouse, Random& random, const Clock& clock)
      : warehouse_(warehouse), random_(random), clock_(clock) {}

  Result<Table> LoadTable(const TableIdentifier& identifier) override;
  Result<Table> CreateTable(const TableIdentifier& identifier,
                            const TableCreation& creation) override;
  Result<Table> CommitTable(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates) override;
  Result<std::vector<TableIdentifier>> ListTables() override;
  Status DropTable(const TableIdentifier& identifier) override;

  /// Puts a table there as it is, under its identifier: one that was dropped is back.
  void Register(Table table);
  /// The same table under another name.
  Status RenameTable(const TableIdentifier& from, const TableIdentifier& to);

 private:
  const ObjectStore& warehouse_;
  Random& random_;
  const Clock& clock_;
  std::mutex mutex_;
  std::map<TableIdentifier, Table> tables_;  // guarded by mutex_
};

}  // namespace arka::iceberg

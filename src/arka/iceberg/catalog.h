// The catalog seam: who knows the current metadata of every table, and swaps it atomically.
//
// Real: SqliteCatalog (sqlite_catalog.h). Tests: MemoryCatalog and FaultyCatalog (testing/). All
// pass testing/catalog_conformance. Thread-safe; calls block. Errors other than those named are
// kIoFailed, kUnavailable, kCorruption and kUnimplemented (metadata that Arka cannot read).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/identifier.h"
#include "arka/iceberg/schema.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/iceberg/table_requirement.h"
#include "arka/iceberg/table_update.h"

namespace arka::iceberg {

struct Table {
  TableIdentifier identifier = {};
  std::string metadata_location = {};
  std::shared_ptr<const TableMetadata> metadata = {};  // never null
};

struct TableCreation {
  Schema schema = {};  // field ids are assigned afresh, as AssignFreshIds does
  std::map<std::string, std::string> properties = {};
  std::optional<std::string> location = {};  // default: <warehouse>/<namespace levels>/<name>
};

class Catalog {
 public:
  virtual ~Catalog() = default;

  /// kNotFound where there is no such table.
  virtual Result<Table> LoadTable(const TableIdentifier& identifier) = 0;

  /// Makes an empty unpartitioned table of format version 2, and its namespace where that is
  /// missing. kAlreadyExists where the table is there; kInvalidRequest for a bad name or schema;
  /// kCommitUnknown as for CommitTable.
  virtual Result<Table> CreateTable(const TableIdentifier& identifier,
                                    const TableCreation& creation) = 0;

  /// Applies `updates` to the current metadata if all `requirements` hold, as one atomic step.
  /// OK: it landed. kCommitConflict: somebody else was first, and nothing happened.
  /// kCommitUnknown: it may have landed, now or a little later. Any other error: it did not land.
  virtual Result<Table> CommitTable(const TableIdentifier& identifier,
                                    const std::vector<TableRequirement>& requirements,
                                    const std::vector<TableUpdate>& updates) = 0;

  /// Every table of every namespace, sorted.
  virtual Result<std::vector<TableIdentifier>> ListTables() = 0;

  /// Forgets the table and leaves its files; kNotFound where there is no such table.
  virtual Status DropTable(const TableIdentifier& identifier) = 0;
};

}  // namespace arka::iceberg

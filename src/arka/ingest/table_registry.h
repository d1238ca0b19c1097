// The tables of the running server: by name, and with every stream schema they are written with.
//
// Opening a table asks the catalog and may create it there; what was opened once is answered from
// memory, as long as the table is there and has the same schema, as far as is known. A table is its
// UUID: under a new name it is the same one, and its writes stay in order. Also hands out the log's
// definitions: one for each pair of table and logged schema. Thread-safe. Find never blocks; Open
// does, and one Open runs at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <arrow/type.h>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"
#include "arka/ingest/table.h"
#include "arka/ingest/table_definition.h"
#include "arka/io/object_store.h"
#include "arka/wal/log.h"

namespace arka::ingest {

/// A table as one stream writes it.
struct OpenedTable {
  Table* table = nullptr;  // lives as long as the registry
  std::shared_ptr<const lake::TableSchema> schema;
  wal::DefinitionId definition;
};

/// Table property: "true" where nothing more is to be written to the table.
inline constexpr char kSealedProperty[] = "arka.sealed";

struct TableRegistryOptions {
  std::string node;
  bool auto_create = true;
};

class TableRegistry {
 public:
  /// Both must outlive the registry. `on_new` is told of every new table, before it is answered.
  TableRegistry(iceberg::Catalog& catalog, ObjectStore& warehouse, TableRegistryOptions options,
                std::function<void(Table&)> on_new);

  /// The table with that name and stream schema if it was opened before; else nullptr.
  std::shared_ptr<const OpenedTable> Find(const iceberg::TableIdentifier& identifier,
                                          const arrow::Schema& stream_schema) const;

  /// The table of that name, if one was opened or restored; else nullptr.
  const Table* FindTable(const iceberg::TableIdentifier& identifier) const;
  /// Those that were opened or restored and have writes that are not committed.
  std::vector<const Table*> Uncommitted() const;
  /// Its Iceberg UUID, asking the catalog where needed; kNotFound where there is no such table.
  Result<std::string> UuidOf(const iceberg::TableIdentifier& identifier);

  /// The table of that UUID, if one was opened or restored; else nullptr.
  const Table* FindByUuid(const std::string& uuid) const;
  /// The same, ready to be read: one that was gone since the start is looked for first, as Look
  /// does, with its errors.
  Result<Table*> FindKnown(const std::string& uuid);

  /// The same as Find, asking the catalog where needed. kNotFound where the table is not there and
  /// may not be made, kSchemaMismatch as TableSchema::ForTable has it, kUnimplemented where nothing
  /// can be committed to it. `log` learns the definition.
  Result<std::shared_ptr<const OpenedTable>> Open(const iceberg::TableIdentifier& identifier,
                                                  const arrow::Schema& stream_schema,
                                                  wal::Log& log);

  /// Makes an empty table for that schema; answers its UUID. kAlreadyExists where there is one,
  /// kUnavailable where it may have been made: the catalog's answer was lost. Blocks.
  Result<std::string> Create(const iceberg::TableIdentifier& identifier,
                             const arrow::Schema& stream_schema);

  /// While it is held, no table is opened or made.
  std::unique_lock<std::mutex> HoldOpening() { return std::unique_lock(opening_); }

  /// Replay: a definition out of the log; answers its table. Where that is gone from the catalog
  /// (is_gone), the definition is kept until Look or Open finds the table.
  Result<Table*> Restore(wal::DefinitionId id, const TableDefinition& definition);
  /// Replay: a definition whose writes are given up; OfDefinition never knows it.
  void Skip(wal::DefinitionId id);
  /// Looks for a table that is gone. Once OK, OfDefinition knows what was kept. kNotFound, saying
  /// what is missing; other errors as the catalog has them. Blocks.
  Status Look(Table& table);
  /// What records of definition `id` go to; nullptr where their table is gone.
  std::shared_ptr<const OpenedTable> OfDefinition(wal::DefinitionId id) const;

 private:
  struct Entry {
    std::unique_ptr<Table> table;
    std::vector<std::shared_ptr<const OpenedTable>> opened;  // one a stream schema
    std::map<wal::DefinitionId, TableDefinition> held;  // of a table that is gone since the start
    iceberg::Table as_restored;                         // during replay
  };

  const Entry* EntryOf(const iceberg::TableIdentifier& identifier) const;  // with mutex_ held
  Status TakeBack(Entry& entry, const iceberg::Table& loaded);             // with mutex_ held
  Table* HoldBack(Entry& entry, wal::DefinitionId id, const TableDefinition& definition,
                  const Status& reason);
  Status CheckMayBeMade(const iceberg::TableIdentifier& identifier) const;
  Result<iceberg::Table> Make(const iceberg::TableIdentifier& identifier,
                              const arrow::Schema& stream_schema);
  Result<iceberg::Table> LoadOrCreate(const iceberg::TableIdentifier& identifier,
                                      const arrow::Schema& stream_schema);
  Result<Entry*> Register(const iceberg::Table& loaded,
                          const std::shared_ptr<const lake::TableSchema>& schema);

  iceberg::Catalog& catalog_;
  ObjectStore& warehouse_;
  const TableRegistryOptions options_;
  const std::function<void(Table&)> on_new_;

  std::mutex opening_;  // held through a whole Open
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, Entry> tables_;                    // by UUID
  std::map<iceberg::TableIdentifier, std::string> names_;  // the UUID that a name stood for
  std::map<wal::DefinitionId, std::shared_ptr<const OpenedTable>> by_definition_;
  uint32_t last_table_id_ = 0;
  uint32_t last_definition_ = 0;
};

}  // namespace arka::ingest

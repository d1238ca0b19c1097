// Changes of tables that are being written to: sealed and opened again, altered, dropped.
//
// Each is one commit to the catalog, and none lets a write slip in where it says that there is
// none. Runs on the thread that opens tables, which holds no table open for others meanwhile;
// blocks. Owned by the Engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"
#include "arka/iceberg/schema_change.h"
#include "arka/ingest/sequencer.h"
#include "arka/ingest/table_registry.h"

namespace arka::ingest {

/// What writing a whole batch of rows does with the table: ADBC's create, append, replace and
/// create_append.
struct IngestMode {
  enum class Existing : uint8_t { kFail, kAppend, kReplace };
  bool create_missing = true;
  Existing existing = Existing::kFail;

  /// Whether it may make or drop a table.
  bool changes_tables() const { return create_missing || existing == Existing::kReplace; }
};
enum class IngestStep : uint8_t { kWrite, kDropFirst };

class TableChanges {
 public:
  /// All must outlive the changes.
  TableChanges(iceberg::Catalog& catalog, TableRegistry& tables, Sequencer& sequencer)
      : catalog_(catalog), tables_(tables), sequencer_(sequencer) {}

  // Errors of all: kNotFound where there is no such table, kUnavailable where the catalog's answer
  // was lost, so that the change may have been made; others as the catalog has them.

  /// Seals the table: from the answer on no write to it gets an LSN, now and after a restart, until
  /// Unseal. Answers the last LSN that this server gave to it (kNoLsn: none that it knows of).
  Result<Lsn> Seal(const iceberg::TableIdentifier& identifier);
  Status Unseal(const iceberg::TableIdentifier& identifier);

  /// Makes `changes` to the table's schema; kInvalidRequest as iceberg::ChangeSchema. Answers the
  /// table as it is then. What was written by the old schema stays readable by the new one; open
  /// streams go on with theirs.
  Result<iceberg::Table> Alter(const iceberg::TableIdentifier& identifier,
                               const std::vector<iceberg::SchemaChange>& changes);

  /// No write to the table gets an LSN any more, until Drop or KeepAfterAll. Answers what the
  /// server knows of it; nullptr where it was not written to.
  Result<Table*> BeginDrop(const iceberg::TableIdentifier& identifier);
  void KeepAfterAll(Table* table);
  /// Drops it from the catalog; its files stay. Answers its UUID. kUnavailable, and nothing
  /// happens, where there are writes to it that are not committed.
  Result<std::string> Drop(const iceberg::TableIdentifier& identifier);

  /// Makes the table ready for rows of `schema`, as `mode` says: kWrite, or kDropFirst where it is
  /// to be dropped, and this called again. kNotFound, kAlreadyExists where `mode` wants it
  /// otherwise.
  Result<IngestStep> PrepareIngest(const iceberg::TableIdentifier& identifier,
                                   const arrow::Schema& schema, const IngestMode& mode);

 private:
  struct Change {
    std::vector<iceberg::TableRequirement> requirements;
    std::vector<iceberg::TableUpdate> updates;  // none: it is as it shall be
  };
  using MakeChange = std::function<Result<Change>(const iceberg::TableMetadata& base)>;

  // Commits what `make` makes of the table, again on what others made of it meanwhile.
  Result<iceberg::Table> Commit(const iceberg::TableIdentifier& identifier, const MakeChange& make);
  Result<iceberg::Table> SetSealedProperty(const iceberg::TableIdentifier& identifier, bool sealed);

  iceberg::Catalog& catalog_;
  TableRegistry& tables_;
  Sequencer& sequencer_;
};

}  // namespace arka::ingest

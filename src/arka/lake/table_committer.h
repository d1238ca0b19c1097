// The commit: data files of one table become one snapshot, once, whatever the catalog answers.
//
// Every commit carries, in the same atomic catalog update as the snapshot, the table property
// `arka.committed-lsn.<node>`, which survives snapshot expiry, and the snapshot summary
// `arka.first-lsn`, `arka.last-lsn`, `arka.node`. A commit has three outcomes: done; conflict
// (somebody else committed: load, rebuild on the new base, try again with back-off and jitter);
// unknown (load and look at the property; if it is not there, try again asserting the SAME base, so
// that at most one attempt can land). Data files are never deleted here. Thread-safe for different
// tables; blocks.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/iceberg/catalog.h"
#include "arka/iceberg/data_file.h"
#include "arka/io/clock.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::lake {

class BackOff;

/// A data file that no snapshot names yet, and the writes whose rows it holds.
struct StagedFile {
  iceberg::DataFile file;
  Lsn first_lsn;
  Lsn last_lsn;
};

/// What a table's property says is committed by `node`; kNoLsn where it says nothing.
Result<Lsn> CommittedLsnOf(const iceberg::TableMetadata& metadata, const std::string& node);

class TableCommitter {
 public:
  /// All must outlive the committer.
  TableCommitter(iceberg::Catalog& catalog, ObjectStore& warehouse, Clock& clock, Random& random,
                 std::string node);

  /// Commits `files` (at least one, oldest first) as one snapshot and answers its id. Those that
  /// the property shows to have landed before are left out; where that is all of them, the id of
  /// the snapshot with the last one is answered, 0 where it has expired. `table_uuid` must still be
  /// the table's, else kNotFound. Retries conflicts and unknown outcomes until `stop` is requested
  /// (kShuttingDown). Errors of any other kind come back. After any error, committing the same
  /// files again, alone or with later ones, is safe, even where an attempt lands late.
  /// `newest_lsn` is the newest that this node has given: a property beyond it was written by
  /// another server under the same node name, and taking it for ours would lose these files'
  /// rows: kUnavailable.
  Result<int64_t> Commit(const iceberg::TableIdentifier& table, const std::string& table_uuid,
                         const std::vector<StagedFile>& files, Lsn newest_lsn,
                         std::stop_token stop);

 private:
  Result<iceberg::Table> Load(const iceberg::TableIdentifier& table, const std::string& table_uuid);
  Result<iceberg::Table> Reload(const iceberg::TableIdentifier& table,
                                const std::string& table_uuid, bool must_know, BackOff& back_off);
  void Discard(const std::vector<std::string>& written);

  iceberg::Catalog& catalog_;
  ObjectStore& warehouse_;
  Clock& clock_;
  Random& random_;
  const std::string node_;
};

}  // namespace arka::lake

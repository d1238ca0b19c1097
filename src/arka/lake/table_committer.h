// The commit: data files of one table become one snapshot, once, whatever the catalog answers.
//
// Every commit carries, in the same atomic catalog update as the snapshot, the table property
// `arka.committed-lsn.<node>`, which survives snapshot expiry, and the snapshot summary
// `arka.first-lsn`, `arka.last-lsn`, `arka.node`. A commit has three outcomes: done; conflict
// (somebody else committed: load, rebuild on the new base, try again); unknown (load and look at
// the property; if it is not there, the caller comes back, and either the base is still the same,
// so that at most one of the two attempts can land, or the older one can land no more). It never
// waits: whoever calls it backs off. Data files are never deleted here. Thread-safe for different
// tables; blocks.
#pragma once

#include <cstdint>
#include <optional>
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

/// A data file that no snapshot names yet, and the writes whose rows it holds.
struct StagedFile {
  iceberg::DataFile file;
  Lsn first_lsn;
  Lsn last_lsn;
};

/// What a table's property says is committed by `node`; kNoLsn where it says nothing.
Result<Lsn> CommittedLsnOf(const iceberg::TableMetadata& metadata, const std::string& node);

/// The writes first..last of one node.
struct CommittedWrites {
  Lsn first;
  Lsn last;
};

/// The writes of `node` that `snapshot` added; nothing where its summary names none.
std::optional<CommittedWrites> WritesAddedBy(const iceberg::Snapshot& snapshot,
                                             const std::string& node);

/// How a commit went.
struct CommitOutcome {
  /// The snapshot that holds the write `through`; 0 where it has expired.
  int64_t snapshot_id = 0;
  /// Every write of the node to the table up to this is committed. Below the last file's last LSN
  /// where an attempt of a server that ran before, with other file boundaries, has landed only now:
  /// nothing was committed by this call then, and a file that holds writes both up to and above
  /// `through` can never be. Its writes above `through` belong into a new one.
  Lsn through = kNoLsn;
  /// The name that the table has now, and the id of its schema.
  iceberg::TableIdentifier name = {};
  int schema_id = 0;
};

class TableCommitter {
 public:
  /// Attempts of one call, where others keep committing first.
  static constexpr int kAttempts = 4;

  /// All must outlive the committer.
  TableCommitter(iceberg::Catalog& catalog, ObjectStore& warehouse, Clock& clock, Random& random,
                 std::string node);

  /// Commits `files` (at least one, oldest first) as one snapshot. Those that the property shows to
  /// have landed before are left out. The table is known by its UUID, and found under another name
  /// where it was renamed (FindTable): kNotFound where it is gone. kCommitConflict where others
  /// were first kAttempts times; kCommitUnknown where the outcome is not known and the table does
  /// not show it (yet); kShuttingDown where `stop` was requested before an attempt; any other error
  /// says that this call's attempt did not land. After any error, committing the same files again,
  /// alone or with later ones, is safe, even where an attempt lands late. `newest_lsn` is the
  /// newest that this node has given: a property beyond it was written by another server under the
  /// same node name, and taking it for ours would lose these files' rows: kUnavailable.
  Result<CommitOutcome> Commit(const iceberg::TableIdentifier& table, const std::string& table_uuid,
                               const std::vector<StagedFile>& files, Lsn newest_lsn,
                               const std::stop_token& stop);

 private:
  Result<Lsn> CommittedIn(const iceberg::Table& table, Lsn newest_lsn) const;
  void Discard(const std::vector<std::string>& written);

  iceberg::Catalog& catalog_;
  ObjectStore& warehouse_;
  Clock& clock_;
  Random& random_;
  const std::string node_;
};

}  // namespace arka::lake

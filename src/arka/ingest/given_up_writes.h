// The writes that a start gives up: those of tables which are gone, and which the operator has
// named because nobody shall have their writes any more.
//
// They are lost from then on: no tier is told of them, nothing lands if the table comes back, and
// the log is free to let them go. That is final once a checkpoint says so; what an earlier one says
// stays so, whatever is asked for now. Used by Recovery, while the log is replayed; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/base/lsn.h"
#include "arka/iceberg/catalog.h"
#include "arka/ingest/lsn_ranges.h"
#include "arka/ingest/table_definition.h"

namespace arka::ingest {

class GivenUpWrites {
 public:
  /// `asked_for`: UUIDs of tables. `catalog` must outlive it.
  GivenUpWrites(iceberg::Catalog& catalog, const std::vector<std::string>& asked_for);

  /// LSNs that were lost before this start. A write that the log holds all the same was given up.
  void RestoreLost(const std::vector<LsnRange>& lost) { before_ = LsnRanges(lost); }

  /// Whether what the log holds for that table is to be given up: it was asked for, and the catalog
  /// does not have the table under any name. The first answer for a table stands. An error where
  /// the catalog does not say; blocks.
  Result<bool> Includes(const TableDefinition& table);

  /// Whether `lsn` was given up by an earlier start.
  bool WasGivenUp(Lsn lsn) const { return before_.Contains(lsn); }
  /// The write `lsn` to the table of that UUID, for which Includes is true. In LSN order.
  void Add(const std::string& table_uuid, Lsn lsn);

  /// What was given up now, and not before.
  const std::vector<LsnRange>& ranges() const { return ranges_; }
  /// Says in the server's log what was given up, and what was asked for in vain.
  void Report() const;

 private:
  struct Asked {
    bool seen = false;   // in the log
    bool there = false;  // in the catalog
    std::string name;
    int64_t writes = 0, writes_before = 0;
    Lsn first_lsn = kNoLsn, last_lsn = kNoLsn;
  };

  iceberg::Catalog& catalog_;
  std::map<std::string, Asked> asked_;  // by UUID
  LsnRanges before_;
  std::vector<LsnRange> ranges_;  // in order, none touching another
};

}  // namespace arka::ingest

// Somebody else at work on the same tables, with an Iceberg library and no idea of Arka: appends
// rows, expires snapshots and deletes what only those named.
#pragma once

#include "arka/simulation/history.h"
#include "arka/simulation/table_reader.h"
#include "arka/simulation/world.h"

namespace arka::simulation {

class ForeignWriter {
 public:
  ForeignWriter(World& world, History& history)
      : world_(world), history_(history), random_(world.choices.Next()) {}

  /// Each as one commit, straight at the catalog; nothing where the table is not there.
  Status Append(size_t table);
  Status Expire(size_t table);

 private:
  World& world_;
  History& history_;
  SeededRandom random_;
  int64_t next_id_ = -1;
};

}  // namespace arka::simulation

// What the services need to read tables: where from, the snapshots that tickets stand for, and the
// threads that do the reading. Owned by the composition root; destroyed before the engine.
#pragma once

#include <functional>
#include <utility>

#include "arka/base/task_queue.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"
#include "arka/query/snapshot_registry.h"
#include "arka/query/table_snapshot.h"

namespace arka::query {

struct TableReadsOptions {
  int threads = 2;
  SnapshotRegistryOptions snapshots;
};

class TableReads {
 public:
  /// What `source` names, `clock` and `random` must outlive the reads.
  TableReads(ReadSource source, const Clock& clock, Random& random, TableReadsOptions options = {})
      : source(std::move(source)),
        snapshots(clock, random, options.snapshots),
        threads_("arka-read", options.threads) {}

  const ReadSource source;
  SnapshotRegistry snapshots;

  /// Runs what blocks. A task reads one batch, so that reads take turns.
  void Run(std::function<void()> task) { threads_.Post(std::move(task)); }

 private:
  TaskQueue threads_;
};

}  // namespace arka::query

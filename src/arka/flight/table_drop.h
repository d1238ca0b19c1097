// Drops a table that may be being written to.
//
// 1. No write to the table is taken any more.
// 2. What was written to it is committed, so that the log is held up by nothing of it.
// 3. The catalog forgets the table; its files stay.
// Where 2 or 3 fails, or it is given up before 3 begins, the table takes writes again. On the
// loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "arka/flight/level_wait.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/table_changes.h"

namespace arka::flight {

class TableDrop {
 public:
  /// `done` is told once, on the loop: the table's UUID, or why it was not dropped. `context` must
  /// outlive the drop.
  TableDrop(acks::LoopContext& context, iceberg::TableIdentifier table,
            std::function<void(Result<std::string>)> done);

  void Begin();
  /// Nobody waits for it any more.
  void GiveUp();

 private:
  void OnBegun(const Result<ingest::Table*>& begun);
  void OnCommitted(const Status& committed);

  acks::LoopContext& context_;
  const iceberg::TableIdentifier identifier_;
  const std::function<void(Result<std::string>)> done_;
  ingest::Table* table_ = nullptr;
  bool dropping_ = false;
  LevelWait wait_;
  const std::shared_ptr<TableDrop*> self_ = std::make_shared<TableDrop*>(this);
};

}  // namespace arka::flight

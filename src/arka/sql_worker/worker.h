// A query worker: answers the server's frames, one statement at a time, until the server is gone.
//
// Three databases are kept open, so that no statement waits for one: one without files that answers
// all that needs none, one that is locked to the files of the last statement that had any, and a
// new one for when a statement needs others.
#pragma once

#include <memory>

#include "arka/sql/worker_channel.h"
#include "arka/sql_worker/database.h"

namespace arka::sql_worker {

class Worker {
 public:
  Worker(sql::WorkerChannel channel, DatabaseOptions options)
      : channel_(std::move(channel)), options_(std::move(options)) {}

  /// Until the server is gone: OK. Else what made it impossible to go on.
  Status Run();

 private:
  Status OpenDatabases();
  Status Answer(sql::Frame frame);
  Status Parse(const std::string& sql);
  Status Describe(sql::Frame frame);
  Status Execute(sql::Frame frame);
  Result<Database*> DatabaseFor(const std::vector<sql::WorkerTable>& tables);
  Status SendRows(Database& database, const OwnedStatement& statement);
  Status SendSchema(const arrow::Schema& schema);
  Status SendBatch(const arrow::RecordBatch& batch);

  sql::WorkerChannel channel_;
  const DatabaseOptions options_;
  std::unique_ptr<Database> without_files_;
  std::unique_ptr<Database> with_files_;  // null until a statement has any
  std::unique_ptr<Database> unlocked_;
};

}  // namespace arka::sql_worker

// One connection to a SQLite file, with errors as Status. Owned by SqliteCatalog.
//
// Not thread-safe: its owner serialises calls. Durable: synchronous=EXTRA, since with FULL a
// committed transaction may come undone at a power loss while its journal's removal is not yet on
// the device.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arka/base/error.h"

struct sqlite3;

namespace arka::iceberg {

/// A value as text; nothing is NULL.
using SqliteText = std::optional<std::string>;
using SqliteRow = std::vector<SqliteText>;

class SqliteDatabase {
 public:
  /// Opens `path`, creating the file (not its directory) where it is missing; then also its
  /// directory is synced. A locked database is waited for up to `busy_timeout`. `vfs` is a
  /// registered SQLite VFS, "" the default one. kIoFailed.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path,
                                                      std::chrono::milliseconds busy_timeout,
                                                      const std::string& vfs);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  /// The rows that `sql` gives with its parameters ?1, ?2 … set. kUnavailable where the database
  /// stays locked, kAlreadyExists for a violated constraint, kCorruption, kIoFailed.
  Result<std::vector<SqliteRow>> Query(const std::string& sql, const SqliteRow& parameters = {});

  /// The same for a statement that changes rows; answers how many it changed.
  Result<int> Change(const std::string& sql, const SqliteRow& parameters = {});

  /// Takes the write lock, waiting for it up to the busy time-out.
  Status Begin();
  /// kUnavailable: certainly not committed, and rolled back. Any other failure is kCommitUnknown.
  Status Commit();
  /// Ends the transaction that is open, if one is.
  void Rollback();

 private:
  explicit SqliteDatabase(sqlite3* connection, std::string path);
  Status Failure(int code, const std::string& doing) const;

  sqlite3* connection_;
  const std::string path_;
};

}  // namespace arka::iceberg

#include "arka/iceberg/sqlite_database.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "arka/io/errno_status.h"

namespace arka::iceberg {
namespace {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// SQLite syncs the directory with its journal, but not when the file itself is new.
Status SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int result = fd < 0 ? -1 : fsync(fd);
  const int error = errno;
  if (fd >= 0) close(fd);
  if (result == 0) return Status::OK();
  return Error(ErrorCode::kIoFailed, "iceberg: cannot sync the directory ", directory, ": ",
               std::strerror(error));
}

/// SQLite would do this itself, but keeps to itself why it could not.
Status CreateFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error(ErrorCode::kIoFailed,
                 "iceberg: catalog: ", ErrnoStatus(errno, "create", path).message());
  }
  close(fd);
  return Status::OK();
}

ErrorCode CodeOfSqlite(int code) {
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kAlreadyExists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorruption;
    default:
      return ErrorCode::kIoFailed;
  }
}

SqliteText ColumnText(sqlite3_stmt* statement, int column) {
  const unsigned char* text = sqlite3_column_text(statement, column);
  if (text == nullptr) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement, column)));
}

}  // namespace

SqliteDatabase::SqliteDatabase(sqlite3* connection, std::string path)
    : connection_(connection), path_(std::move(path)) {}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(connection_); }

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path,
                                                             std::chrono::milliseconds busy_timeout,
                                                             const std::string& vfs) {
  const bool is_new = access(path.c_str(), F_OK) != 0;
  if (is_new && vfs.empty()) ARROW_RETURN_NOT_OK(CreateFile(path));
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
      vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(connection, path));
  if (code != SQLITE_OK) return database->Failure(code, "cannot be opened");
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, static_cast<int>(busy_timeout.count()));
  ARROW_RETURN_NOT_OK(database->Query("PRAGMA synchronous=EXTRA").status());
  if (is_new) ARROW_RETURN_NOT_OK(SyncDirectoryOf(path));
  return database;
}

Status SqliteDatabase::Failure(int code, const std::string& doing) const {
  const std::string_view message =
      connection_ == nullptr ? "out of memory" : sqlite3_errmsg(connection_);
  return Error(CodeOfSqlite(code), "iceberg: catalog ", path_, ": ", doing, ": ", message,
               " (SQLite ", code, ")",
               (code & 0xFF) == SQLITE_CANTOPEN
                   ? "; can files be made beside it (permissions, room, inodes: df -i)?"
                   : "");
}

Result<std::vector<SqliteRow>> SqliteDatabase::Query(const std::string& sql,
                                                     const SqliteRow& parameters) {
  sqlite3_stmt* prepared = nullptr;
  int code =
      sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
  if (code != SQLITE_OK) return Failure(code, "cannot prepare '" + sql + "'");
  const Statement statement(prepared);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    code = parameters[i]
               ? sqlite3_bind_text(prepared, index, parameters[i]->data(),
                                   static_cast<int>(parameters[i]->size()), SQLITE_TRANSIENT)
               : sqlite3_bind_null(prepared, index);
    if (code != SQLITE_OK) return Failure(code, "cannot bind '" + sql + "'");
  }
  std::vector<SqliteRow> rows;
  while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
    SqliteRow row;
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) row.push_back(ColumnText(prepared, i));
    rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return Failure(code, "'" + sql + "' failed");
  return rows;
}

Result<int> SqliteDatabase::Change(const std::string& sql, const SqliteRow& parameters) {
  ARROW_RETURN_NOT_OK(Query(sql, parameters).status());
  return sqlite3_changes(connection_);
}

Status SqliteDatabase::Begin() { return Query("BEGIN IMMEDIATE").status(); }

Status SqliteDatabase::Commit() {
  const Status committed = Query("COMMIT").status();
  if (committed.ok()) return committed;
  const bool certain = CodeOf(committed) == ErrorCode::kUnavailable;
  Rollback();
  if (certain) return committed;
  return Error(ErrorCode::kCommitUnknown, committed.message());
}

void SqliteDatabase::Rollback() {
  if (sqlite3_get_autocommit(connection_) == 0) (void)Query("ROLLBACK");
}

}  // namespace arka::iceberg

// A log made anew out of log objects, for a machine whose disk is gone.
//
// Every write keeps its LSN, producer, seq and bytes; definitions are numbered anew. The directory
// is marked until Finish, so that an import that was cut short is told from a log and begun again.
// Owned by the start of the server; for one thread; blocks.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <arrow/buffer.h>

#include "arka/wal/log.h"

namespace arka::wal {

class LogImport {
 public:
  /// Whether `directory` holds a log that a start can go on with: not where there is nothing, nor
  /// where an import was cut short.
  static Result<bool> HoldsLog(Fs& fs, const std::string& directory);

  /// Whether an import was begun in `directory` and not finished.
  static Result<bool> IsUnfinished(Fs& fs, const std::string& directory);

  /// Begins in `options.directory`, where HoldsLog is false; what an import left behind is removed.
  /// kCorruption where the directory holds segments that no import made. Both seams must outlive
  /// the import.
  static Result<std::unique_ptr<LogImport>> Begin(Fs& fs, Clock& clock, LogOptions options);
  virtual ~LogImport() = default;

  /// Adds the writes of an object that are above all before: objects may overlap, and come in the
  /// order of their first LSNs. kCorruption where the object is damaged, is another node's, or
  /// where writes are missing before it: LSNs are passed over only between two runs of the server.
  virtual Status Add(const std::shared_ptr<arrow::Buffer>& object) = 0;

  /// The last write so far; kNoLsn before the first.
  virtual Lsn last_lsn() const = 0;
  virtual int64_t writes() const = 0;

  /// Makes it a log, whose last LSN is `committed` where no write is above that. The server will
  /// give LSNs above `reserved_through` only.
  virtual Status Finish(Lsn committed, Lsn reserved_through) = 0;
};

}  // namespace arka::wal

// The log's memory of what segments cannot tell: the epoch, LSNs reserved ahead, the first segment
// still needed, and how far the log reached.
//
// One small file with two copies of the state, preallocated, so that a full disk cannot keep the
// log from releasing segments. An update writes and syncs one copy, then the other: a torn update
// leaves the old state or the new one, and rot in either copy costs nothing. Thread-safe; Update
// blocks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "arka/io/fs.h"
#include "arka/wal/segment_header.h"

namespace arka::wal {

/// Its name in the log directory.
inline constexpr char kControlFileName[] = "control";

struct LogState {
  int64_t epoch = 0;
  Lsn reserved_through = kNoLsn;  // the next start gives LSNs above this one only
  int64_t first_segment = 1;      // all below are released; all from here on must be there
  bool clean = false;             // closed in order: the log ends at `tail`
  ChainPoint tail;                // the log reaches at least to here
  // Of a log that was repaired: it lost writes that log objects may have (log_refill.h), and LSNs
  // up to this one are known to have been given. kNoLsn: none was ever lost.
  bool incomplete = false;
  Lsn lost_through = kNoLsn;

  bool operator==(const LogState&) const = default;
};

class ControlFile {
 public:
  ControlFile(Fs& fs, std::string directory);

  /// What the file holds, nothing where there is none; kCorruption where both copies fail,
  /// kUnimplemented for a newer format version. Update needs `mode` kReadWrite.
  Result<std::optional<LogState>> Read(OpenMode mode = OpenMode::kReadWrite);

  /// Applies `change` to the state last read or written, and makes the result durable. After an
  /// error the state on disk is the old or the new one, and state() the old.
  Status Update(const std::function<void(LogState&)>& change);

  LogState state() const;

 private:
  Status Create();
  Status WriteCopies(const LogState& state);
  Status WriteCopy(int copy, const LogState& state);

  Fs& fs_;
  const std::string directory_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::unique_ptr<File> file_;
  int64_t sequence_ = 0;  // of state_, one more at each update
  LogState state_;
  int weaker_ = 0;  // the copy that may be torn or old where one is: written first
};

}  // namespace arka::wal

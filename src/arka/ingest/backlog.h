// Which writes have their rows in memory, and which only in the log: a pure value.
//
// Writes are kept in memory until memory is tight. Then the backlog begins: from there on writes
// are in the log only, and the committer reads them back, oldest first, as it has room for them. In
// order of LSN, a table's rows are
//
//   in memory | in the log only: read_through < LSN <= last | in memory again
//
// where the third part exists once the backlog was short enough to be closed: new writes are then
// kept again, and wait until the rest of it has been read. Owned by the Sequencer, under its lock.
#pragma once

#include <cstdint>

#include "arka/base/lsn.h"

namespace arka::ingest {

class Backlog {
 public:
  /// Nothing is in the log only.
  Backlog() = default;

  /// A start: the writes after `after` up to `last`, of about `bytes`, are in the log only, and so
  /// are those to come.
  Backlog(Lsn after, Lsn last, int64_t bytes);

  /// Writes after `last_lsn` are in the log only. Only where active() is false.
  void Open(Lsn last_lsn);
  /// `lsn` is in the log only. Only while open().
  void OnWrite(Lsn lsn, int64_t bytes);
  /// The rows up to `through` were read back, about `bytes` of them.
  void OnRead(Lsn through, int64_t bytes);
  /// Writes from now on are kept in memory. Only while open(). Over at once where all was read.
  void Close();

  /// Whether new writes are in the log only.
  bool open() const { return phase_ == Phase::kOpen; }
  /// Whether there is a backlog at all, open or being read to its end.
  bool active() const { return phase_ != Phase::kNone; }
  /// Whether the rows of `lsn` are in the log only.
  bool Holds(Lsn lsn) const { return active() && lsn > read_through_ && lsn <= last_; }

  Lsn read_through() const { return read_through_; }
  Lsn last() const { return last_; }
  bool all_read() const { return read_through_ >= last_; }
  /// About what is still to be read.
  int64_t bytes() const { return bytes_; }

 private:
  enum class Phase : uint8_t { kNone, kOpen, kClosed };

  Phase phase_ = Phase::kNone;
  Lsn read_through_ = kNoLsn;
  Lsn last_ = kNoLsn;
  int64_t bytes_ = 0;
};

}  // namespace arka::ingest

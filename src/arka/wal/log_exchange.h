// Puts a whole new log in the place of the one in a directory, so that at every moment a start
// finds one of the two or refuses.
//
// The new log is written into a directory beside the old one, and marked as complete. From there
// on: the old log's files are moved aside, its control file first; the new ones are moved in, their
// control file last; the mark is removed. What is cut short is finished by Run. The data
// directory's lock is the caller's; for one thread.
#pragma once

#include <string>

#include "arka/io/fs.h"

namespace arka::wal {

/// The reasons for an exchange.
inline constexpr const char* kRepairSuffix = ".repair";
inline constexpr const char* kRefillSuffix = ".refill";

class LogExchange {
 public:
  /// Of the log in `directory`; `fs` must outlive it. `suffix` makes the name of the new log's
  /// directory out of it, and keeps exchanges for different reasons apart.
  LogExchange(Fs& fs, std::string directory, const std::string& suffix);

  /// Where the new log is to be written.
  const std::string& fresh() const { return fresh_; }

  /// Makes fresh() an empty directory. Not where IsPending().
  Status Prepare();
  /// The log in fresh() is whole and durable: it takes the old one's place from now on.
  Status MarkComplete();
  /// Whether MarkComplete was called, and Run has not ended.
  Result<bool> IsPending();
  /// Moves the old log's files to the directory `aside`, the new one's to their place.
  Status Run(const std::string& aside);

 private:
  Status MoveOldAside(const std::string& aside);
  Status MoveNewIn();

  Fs& fs_;
  const std::string directory_;
  const std::string fresh_;
};

}  // namespace arka::wal

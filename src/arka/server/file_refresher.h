// Looks at files that may be changed while the server runs: credentials, certificates.
//
// A thread that asks each of its parts to look again, every so often, and at once where somebody
// says so. What goes wrong is logged; the parts keep what they had. Owned by the composition root.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "arka/base/error.h"
#include "arka/io/clock.h"

namespace arka {

struct RefreshedFile {
  std::string name;  // for the log
  /// Looks at it. Answers why it could not be taken; on one thread at a time.
  std::function<Status()> refresh;
};

class FileRefresher {
 public:
  /// `clock` and what the files refer to must outlive it.
  FileRefresher(Clock& clock, std::chrono::milliseconds interval, std::vector<RefreshedFile> files);
  ~FileRefresher();

  /// Does not wait for the next interval. Any thread.
  void RefreshSoon();

 private:
  void Run();

  Clock& clock_;
  const std::chrono::milliseconds interval_;
  const std::vector<RefreshedFile> files_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false;    // guarded by mutex_
  bool stopping_ = false;  // the same
  std::jthread thread_;
};

}  // namespace arka

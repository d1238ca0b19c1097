// The credentials as the file has them now.
//
// Read at start, and again whenever Refresh finds another text there. A file that does not parse is
// logged and changes nothing: what was read last stays good. Owned by the composition root;
// thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "arka/auth/credentials.h"
#include "arka/io/fs.h"

namespace arka::auth {

class CredentialsFile {
 public:
  /// `fs` must outlive it. Fails where the file cannot be read or does not parse.
  static Result<std::unique_ptr<CredentialsFile>> Open(Fs& fs, std::string path);

  std::shared_ptr<const Credentials> current() const;
  /// Goes up when `current` has changed.
  int64_t generation() const { return generation_.load(std::memory_order_acquire); }

  /// Looks at the file; one thread at a time. Answers why it was not taken, once for each text.
  Status Refresh();

 private:
  CredentialsFile(Fs& fs, std::string path) : fs_(fs), path_(std::move(path)) {}

  Fs& fs_;
  const std::string path_;
  std::string seen_;  // digest of the text that was looked at last
  mutable std::mutex mutex_;
  std::shared_ptr<const Credentials> current_;  // guarded by mutex_
  std::atomic<int64_t> generation_{0};
};

}  // namespace arka::auth

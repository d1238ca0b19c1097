// The Fs seam on Linux system calls: pread, pwritev, fdatasync, fallocate, rename, OFD locks.
//
// Arrow's file systems never sync, so the log and everything else that promises durability goes
// through this. Stateless and thread-safe; built once in server/. Short transfers and EINTR are
// retried here, so that no caller sees them; any other errno becomes a Status that names it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/io/fs.h"

namespace arka {

class PosixFs final : public Fs {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<bool> Exists(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirs(const std::string& directory) override;
  Status SyncDir(const std::string& directory) override;
  /// The file keeps the holder's process id as text. It is never removed: a lock on a removed file
  /// would exclude nobody.
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<int64_t> FreeBytes(const std::string& path) override;
};

}  // namespace arka

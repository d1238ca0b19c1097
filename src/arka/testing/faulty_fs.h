// Any Fs, with faults: asks a FaultPlan before every operation of it and of its files.
//
// Kinds: open, exists, rename, remove, list, create_dirs, sync_dir, lock, free_bytes; read, write,
// sync, size, truncate, allocate. Targets are paths as the caller wrote them. Thread-safe where the
// base is; base and plan outlive it and its files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/io/fs.h"
#include "arka/testing/fault_plan.h"

namespace arka {

class FaultyFs final : public Fs {
 public:
  FaultyFs(Fs& base, FaultPlan& plan) : base_(base), plan_(plan) {}

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<bool> Exists(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirs(const std::string& directory) override;
  Status SyncDir(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<int64_t> FreeBytes(const std::string& path) override;

 private:
  Fs& base_;
  FaultPlan& plan_;
};

}  // namespace arka

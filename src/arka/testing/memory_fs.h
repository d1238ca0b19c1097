// The Fs seam in memory, for tests: it knows what is on the device and what is only in the page
// cache, so that a test can pull the plug.
//
//   fs.LosePower(seed, PowerLoss::kTearSectors);   // now reopen from `fs`, as a restart would
//   auto image = fs.Clone();                       // or try it on a copy, and let this one run on
//
// Stricter than Linux where POSIX allows it: a file's Sync does not make its name durable, and a
// rename between directories needs both of them synced. Directories cannot be removed or renamed.
// Thread-safe. Files and locks must not outlive it; after LosePower or Crash those that were open
// answer kIoFailed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "arka/io/fs.h"
#include "arka/testing/memory_inode.h"
#include "arka/testing/memory_tree.h"

namespace arka {

class MemoryFs final : public Fs {
 public:
  MemoryFs() = default;

  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  Result<bool> Exists(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Status CreateDirs(const std::string& directory) override;
  Status SyncDir(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<int64_t> FreeBytes(const std::string& path) override;

  /// The machine stops: unsynced bytes and names survive as `mode` says, the same ones for a seed.
  void LosePower(uint64_t seed, PowerLoss mode);
  /// The process dies: everything written stays (and stays unsynced), open files and locks go.
  void Crash();
  /// A copy of files, names and what of them is unsynced, without locks and open files.
  std::unique_ptr<MemoryFs> Clone() const;

  /// Every file's path, sorted.
  std::vector<std::string> Paths() const;
  /// What a program would read.
  Result<std::vector<std::byte>> Contents(const std::string& path) const;
  /// Puts `bytes` on the device, synced, under a name that is durable; creates what is missing.
  void SetContents(const std::string& path, std::vector<std::byte> bytes);
  /// XORs the byte at `offset` with `mask`, on the device too.
  Status Corrupt(const std::string& path, int64_t offset, std::byte mask);
  /// What the kernel does with dirty pages after a failed fsync: they look written, and never will
  /// be. Call it where a FaultPlan fails a sync, to be as bad as Linux.
  Status ForgetUnsynced(const std::string& path);

  /// The size of the disk; writes past it land partly and answer kBackpressure. 1 TiB at first.
  void SetCapacity(int64_t bytes);

 private:
  friend class MemoryFile;
  friend class MemoryFileLock;

  MemoryTree::Inode FindFile(
      const std::string& path) const;  // normalises; null where there is none
  int64_t FreeBlocks() const;

  mutable std::mutex mutex_;
  MemoryTree tree_;
  std::set<std::string> locked_;
  int64_t capacity_ = int64_t{1} << 40;
  uint64_t generation_ = 0;  // of open files and locks; grows at LosePower and Crash
};

}  // namespace arka

// An open file and a held lock of MemoryFs; see memory_fs.h. Thread-safe through the Fs's mutex.
#pragma once

#include <string>
#include <utility>

#include "arka/testing/memory_fs.h"

namespace arka {

class MemoryFile final : public File {
 public:
  /// With fs.mutex_ held.
  MemoryFile(MemoryFs& fs, std::string path, MemoryTree::Inode inode, bool writable)
      : fs_(fs),
        path_(std::move(path)),
        inode_(std::move(inode)),
        writable_(writable),
        generation_(fs.generation_) {}

  Result<size_t> Read(int64_t offset, MutableByteSpan out) override;
  Status Write(int64_t offset, std::span<const ByteSpan> parts) override;
  Status Sync() override;
  Result<int64_t> Size() override;
  Status Truncate(int64_t size) override;
  Status Allocate(int64_t size) override;

 private:
  Status CheckOpen() const;      // with fs_.mutex_ held
  Status CheckWritable() const;  // likewise

  MemoryFs& fs_;
  const std::string path_;
  const MemoryTree::Inode inode_;
  const bool writable_;
  const uint64_t generation_;
};

class MemoryFileLock final : public FileLock {
 public:
  /// With fs.mutex_ held.
  MemoryFileLock(MemoryFs& fs, std::string path)
      : fs_(fs), path_(std::move(path)), generation_(fs.generation_) {}
  ~MemoryFileLock() override;

 private:
  MemoryFs& fs_;
  const std::string path_;
  const uint64_t generation_;
};

}  // namespace arka

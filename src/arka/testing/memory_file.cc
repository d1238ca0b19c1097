#include "arka/testing/memory_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "arka/io/errno_status.h"

namespace arka {

Status MemoryFile::CheckOpen() const {
  if (generation_ == fs_.generation_) return Status::OK();
  return Error(ErrorCode::kIoFailed, path_, " was opened before the simulated crash");
}

Status MemoryFile::CheckWritable() const {
  ARROW_RETURN_NOT_OK(CheckOpen());
  return writable_ ? Status::OK() : ErrnoStatus(EBADF, "write", path_);
}

Result<size_t> MemoryFile::Read(int64_t offset, MutableByteSpan out) {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckOpen());
  const MemoryInode::Bytes& bytes = inode_->current();
  if (offset >= static_cast<int64_t>(bytes.size())) return 0;
  const size_t count = std::min(out.size(), bytes.size() - static_cast<size_t>(offset));
  if (count > 0) std::memcpy(out.data(), bytes.data() + offset, count);
  return count;
}

Status MemoryFile::Write(int64_t offset, std::span<const ByteSpan> parts) {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckWritable());
  MemoryInode::Bytes all;
  for (const ByteSpan part : parts) all.insert(all.end(), part.begin(), part.end());
  const auto size = static_cast<int64_t>(all.size());
  // As much as there is room for lands, then the disk is full.
  int64_t fits = size;
  const int64_t free_blocks = fs_.FreeBlocks();
  while (fits > 0 && inode_->BlocksNeeded(offset, fits) > free_blocks) {
    fits =
        std::max(int64_t{0},
                 (offset + fits - 1) / MemoryInode::kBlockSize * MemoryInode::kBlockSize - offset);
  }
  if (fits > 0) inode_->Write(offset, ByteSpan(all).first(static_cast<size_t>(fits)));
  return fits == size ? Status::OK() : ErrnoStatus(ENOSPC, "write", path_);
}

Status MemoryFile::Sync() {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckOpen());
  inode_->Sync();
  return Status::OK();
}

Result<int64_t> MemoryFile::Size() {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckOpen());
  return static_cast<int64_t>(inode_->current().size());
}

Status MemoryFile::Truncate(int64_t size) {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckWritable());
  inode_->Resize(size);
  return Status::OK();
}

Status MemoryFile::Allocate(int64_t size) {
  const std::lock_guard lock(fs_.mutex_);
  ARROW_RETURN_NOT_OK(CheckWritable());
  if (inode_->BlocksNeeded(0, size) > fs_.FreeBlocks()) {
    return ErrnoStatus(ENOSPC, "allocate space for", path_);
  }
  inode_->Allocate(size);
  return Status::OK();
}

MemoryFileLock::~MemoryFileLock() {
  const std::lock_guard lock(fs_.mutex_);
  if (generation_ == fs_.generation_) fs_.locked_.erase(path_);
}

}  // namespace arka

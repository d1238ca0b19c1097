#include "arka/testing/memory_fs.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "arka/base/check.h"
#include "arka/io/errno_status.h"
#include "arka/testing/memory_file.h"
#include "arka/testing/seeded_random.h"

namespace arka {
namespace {

std::string Normal(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

}  // namespace

Result<std::unique_ptr<File>> MemoryFs::Open(const std::string& raw_path, OpenMode mode) {
  const std::string path = Normal(raw_path);
  const std::lock_guard lock(mutex_);
  if (tree_.HasDirectory(path)) {
    return ErrnoStatus(mode == OpenMode::kCreateNew ? EEXIST : EISDIR, "open", path);
  }
  MemoryTree::Inode inode = tree_.Find(path);
  if (mode == OpenMode::kCreateNew) {
    if (inode != nullptr) return ErrnoStatus(EEXIST, "open", path);
    if (!tree_.HasDirectory(MemoryTree::ParentOf(path))) return ErrnoStatus(ENOENT, "open", path);
    inode = std::make_shared<MemoryInode>();
    tree_.AddFile(path, inode);
  }
  if (inode == nullptr) return ErrnoStatus(ENOENT, "open", path);
  return std::make_unique<MemoryFile>(*this, path, std::move(inode), mode != OpenMode::kRead);
}

Result<bool> MemoryFs::Exists(const std::string& raw_path) {
  const std::string path = Normal(raw_path);
  const std::lock_guard lock(mutex_);
  return tree_.HasDirectory(path) || tree_.Find(path) != nullptr;
}

Status MemoryFs::Rename(const std::string& raw_from, const std::string& raw_to) {
  const std::string from = Normal(raw_from);
  const std::string to = Normal(raw_to);
  const std::string both = from + " to " + to;
  const std::lock_guard lock(mutex_);
  if (tree_.HasDirectory(from) || tree_.HasDirectory(to)) {
    return ErrnoStatus(EISDIR, "rename", both);
  }
  if (tree_.Find(from) == nullptr || !tree_.HasDirectory(MemoryTree::ParentOf(to))) {
    return ErrnoStatus(ENOENT, "rename", both);
  }
  tree_.RenameFile(from, to);
  return Status::OK();
}

Status MemoryFs::Remove(const std::string& raw_path) {
  const std::string path = Normal(raw_path);
  const std::lock_guard lock(mutex_);
  if (tree_.HasDirectory(path)) return ErrnoStatus(EISDIR, "remove", path);
  if (tree_.Find(path) == nullptr) return ErrnoStatus(ENOENT, "remove", path);
  tree_.RemoveFile(path);
  return Status::OK();
}

Result<std::vector<std::string>> MemoryFs::List(const std::string& raw_directory) {
  const std::string directory = Normal(raw_directory);
  const std::lock_guard lock(mutex_);
  if (!tree_.HasDirectory(directory)) return ErrnoStatus(ENOENT, "list", directory);
  return tree_.NamesIn(directory);
}

Status MemoryFs::CreateDirs(const std::string& raw_directory) {
  const std::string directory = Normal(raw_directory);
  const std::lock_guard lock(mutex_);
  if (directory.empty()) return ErrnoStatus(ENOENT, "create directory", directory);
  std::string prefix;
  for (const std::filesystem::path& part : std::filesystem::path(directory)) {
    prefix = (std::filesystem::path(prefix) / part).string();
    if (tree_.HasDirectory(prefix)) continue;
    if (tree_.Find(prefix) != nullptr) return ErrnoStatus(EEXIST, "create directory", prefix);
    tree_.AddDirectory(prefix);
    tree_.SyncDirectory(MemoryTree::ParentOf(prefix));
  }
  return Status::OK();
}

Status MemoryFs::SyncDir(const std::string& raw_directory) {
  const std::string directory = Normal(raw_directory);
  const std::lock_guard lock(mutex_);
  if (!tree_.HasDirectory(directory)) return ErrnoStatus(ENOENT, "sync directory", directory);
  tree_.SyncDirectory(directory);
  return Status::OK();
}

Result<std::unique_ptr<FileLock>> MemoryFs::Lock(const std::string& raw_path) {
  const std::string path = Normal(raw_path);
  const std::lock_guard lock(mutex_);
  if (tree_.HasDirectory(path)) return ErrnoStatus(EISDIR, "open", path);
  if (!tree_.HasDirectory(MemoryTree::ParentOf(path))) return ErrnoStatus(ENOENT, "open", path);
  if (tree_.Find(path) == nullptr) tree_.AddFile(path, std::make_shared<MemoryInode>());
  if (!locked_.insert(path).second) {
    return Error(ErrorCode::kUnavailable, path, " is locked by process 1");
  }
  return std::make_unique<MemoryFileLock>(*this, path);
}

Result<int64_t> MemoryFs::FreeBytes(const std::string& raw_path) {
  const std::string path = Normal(raw_path);
  const std::lock_guard lock(mutex_);
  if (!tree_.HasDirectory(path) && tree_.Find(path) == nullptr) {
    return ErrnoStatus(ENOENT, "ask for free space at", path);
  }
  return FreeBlocks() * MemoryInode::kBlockSize;
}

void MemoryFs::LosePower(uint64_t seed, PowerLoss mode) {
  SeededRandom random(seed);
  const std::lock_guard lock(mutex_);
  tree_.LosePower(mode, random);
  locked_.clear();
  ++generation_;
}

void MemoryFs::Crash() {
  const std::lock_guard lock(mutex_);
  locked_.clear();
  ++generation_;
}

std::unique_ptr<MemoryFs> MemoryFs::Clone() const {
  auto copy = std::make_unique<MemoryFs>();
  const std::lock_guard lock(mutex_);
  copy->tree_ = tree_.Clone();
  copy->capacity_ = capacity_;
  return copy;
}

std::vector<std::string> MemoryFs::Paths() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : tree_.files()) paths.push_back(path);
  return paths;
}

Result<std::vector<std::byte>> MemoryFs::Contents(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const MemoryTree::Inode inode = FindFile(path);
  if (inode == nullptr) return ErrnoStatus(ENOENT, "open", path);
  return inode->current();
}

void MemoryFs::SetContents(const std::string& raw_path, std::vector<std::byte> bytes) {
  const std::string path = Normal(raw_path);
  const std::string parent = MemoryTree::ParentOf(path);
  ARKA_CHECK(CreateDirs(parent).ok());
  const std::lock_guard lock(mutex_);
  MemoryTree::Inode inode = tree_.Find(path);
  if (inode == nullptr) {
    inode = std::make_shared<MemoryInode>();
    tree_.AddFile(path, inode);
    tree_.SyncDirectory(parent);
  }
  inode->Replace(std::move(bytes));
}

Status MemoryFs::Corrupt(const std::string& path, int64_t offset, std::byte mask) {
  const std::lock_guard lock(mutex_);
  const MemoryTree::Inode inode = FindFile(path);
  if (inode == nullptr) return ErrnoStatus(ENOENT, "open", path);
  std::vector<std::byte> bytes = inode->current();
  if (offset < 0 || offset >= static_cast<int64_t>(bytes.size())) {
    return Error(ErrorCode::kInvalidRequest, path, " has no byte ", offset);
  }
  bytes[static_cast<size_t>(offset)] ^= mask;
  inode->Replace(std::move(bytes));
  return Status::OK();
}

Status MemoryFs::ForgetUnsynced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const MemoryTree::Inode inode = FindFile(path);
  if (inode == nullptr) return ErrnoStatus(ENOENT, "open", path);
  inode->ForgetUnsynced();
  return Status::OK();
}

void MemoryFs::SetCapacity(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

MemoryTree::Inode MemoryFs::FindFile(const std::string& path) const {
  return tree_.Find(Normal(path));
}

int64_t MemoryFs::FreeBlocks() const {
  int64_t free = capacity_ / MemoryInode::kBlockSize;
  for (const auto& [path, inode] : tree_.files()) free -= inode->blocks_used();
  return std::max<int64_t>(free, 0);
}

}  // namespace arka

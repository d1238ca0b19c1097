#include "arka/io/file_object_store.h"

#include <algorithm>
#include <filesystem>

#include "arka/io/object_key.h"

namespace arka {
namespace {

constexpr std::string_view kStagingName = ".staging";
constexpr std::string_view kLockName = "lock";
/// Log objects are read after a crash only, data files once in a while: they stay out of the cache.
constexpr int64_t kLargeBytes = 1 << 20;

bool IsNotFound(const Status& status) {
  return !status.ok() && CodeOf(status) == ErrorCode::kNotFound;
}

std::string ParentOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

MutableByteSpan WritableBytesOf(arrow::Buffer& buffer) {
  return {reinterpret_cast<std::byte*>(buffer.mutable_data()), static_cast<size_t>(buffer.size())};
}

}  // namespace

Result<std::unique_ptr<FileObjectStore>> FileObjectStore::Make(Fs& fs, Random& random,
                                                               std::string root) {
  std::unique_ptr<FileObjectStore> store(new FileObjectStore(fs, random, std::move(root)));
  ARROW_RETURN_NOT_OK(fs.CreateDirs(store->staging_));
  ARROW_RETURN_NOT_OK(store->TakeStaging());
  return store;
}

Status FileObjectStore::TakeStaging() {
  Result<std::unique_ptr<FileLock>> lock = fs_.Lock(staging_ + "/" + std::string(kLockName));
  if (!lock.ok()) {
    return CodeOf(lock.status()) == ErrorCode::kUnavailable ? Status::OK() : lock.status();
  }
  staging_lock_ = std::move(lock).ValueUnsafe();
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> names, fs_.List(staging_));
  for (const std::string& name : names) {
    if (name != kLockName) ARROW_RETURN_NOT_OK(fs_.Remove(staging_ + "/" + name));
  }
  return Status::OK();
}

Status FileObjectStore::Put(std::string_view key,
                            std::span<const std::shared_ptr<arrow::Buffer>> parts) {
  // 1. Write aside and sync. 2. Rename. 3. Sync the directory.
  ARROW_RETURN_NOT_OK(CheckKey(key));
  const std::string path = PathOf(key);
  ARROW_ASSIGN_OR_RAISE(const std::string staged, Stage(parts));
  const Status moved = MoveIntoPlace(staged, path);
  if (!moved.ok()) {
    (void)fs_.Remove(staged);  // the first error is the one to tell
    return moved;
  }
  return fs_.SyncDir(ParentOf(path));
}

Result<std::string> FileObjectStore::Stage(std::span<const std::shared_ptr<arrow::Buffer>> parts) {
  std::vector<ByteSpan> bytes;
  bytes.reserve(parts.size());
  int64_t total_bytes = 0;
  for (const auto& part : parts) {
    total_bytes += part->size();
    bytes.push_back(std::as_bytes(std::span(part->data(), static_cast<size_t>(part->size()))));
  }
  std::string staged = staging_ + "/" + MakeUuid(random_);
  ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, fs_.Open(staged, OpenMode::kCreateNew));
  Status written =
      total_bytes >= kLargeBytes ? file->WriteUncached(0, bytes) : file->Write(0, bytes);
  if (written.ok()) written = file->Sync();
  if (!written.ok()) {
    (void)fs_.Remove(staged);  // the first error is the one to tell
    return written;
  }
  return staged;
}

Status FileObjectStore::MoveIntoPlace(const std::string& staged, const std::string& path) {
  const Status moved = fs_.Rename(staged, path);
  if (!IsNotFound(moved)) return moved;
  ARROW_RETURN_NOT_OK(fs_.CreateDirs(ParentOf(path)));
  return fs_.Rename(staged, path);
}

Result<std::shared_ptr<arrow::Buffer>> FileObjectStore::GetRange(std::string_view key,
                                                                 int64_t offset, int64_t length) {
  ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, OpenObject(key));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  ARROW_RETURN_NOT_OK(ValidateObjectRange({std::string(key), size}, offset, length));
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(length));
  ARROW_ASSIGN_OR_RAISE(const size_t count, file->Read(offset, WritableBytesOf(*buffer)));
  if (static_cast<int64_t>(count) != length) {
    return Error(ErrorCode::kIoFailed, "object '", key, "': got ", count, " of ", length, " bytes");
  }
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Result<std::shared_ptr<arrow::Buffer>> FileObjectStore::Get(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo info, Head(key));
  return GetRange(key, 0, info.size_bytes);
}

Result<ObjectInfo> FileObjectStore::Head(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const std::unique_ptr<File> file, OpenObject(key));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->Size());
  return ObjectInfo{std::string(key), size};
}

Result<std::vector<ObjectInfo>> FileObjectStore::List(std::string_view prefix) {
  ARROW_RETURN_NOT_OK(ValidateObjectPrefix(prefix));
  std::vector<ObjectInfo> objects;
  // Every match lies in the deepest directory that the prefix names in full.
  const size_t slash = prefix.rfind('/');
  const std::string directory(slash == std::string_view::npos ? "" : prefix.substr(0, slash));
  ARROW_RETURN_NOT_OK(AddObjectsUnder(directory, prefix, objects));
  std::sort(objects.begin(), objects.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  return objects;
}

Status FileObjectStore::AddObjectsUnder(const std::string& directory, std::string_view prefix,
                                        std::vector<ObjectInfo>& objects) {
  const Result<std::vector<std::string>> names =
      fs_.List(directory.empty() ? root_ : PathOf(directory));
  if (IsNotFound(names.status())) return Status::OK();  // a file, or removed since
  ARROW_RETURN_NOT_OK(names);
  for (const std::string& name : *names) {
    const std::string key = directory.empty() ? name : directory + "/" + name;
    if (!key.starts_with(prefix) || !CheckKey(key).ok()) continue;
    const Result<ObjectInfo> info = Head(key);
    if (info.ok()) {
      objects.push_back(*info);
    } else if (IsNotFound(info.status())) {
      ARROW_RETURN_NOT_OK(AddObjectsUnder(key, prefix, objects));
    } else {
      return info.status();
    }
  }
  return Status::OK();
}

Status FileObjectStore::Delete(std::string_view key) {
  ARROW_RETURN_NOT_OK(CheckKey(key));
  const Status removed = fs_.Remove(PathOf(key));
  if (removed.ok() || IsNotFound(removed) || IsDirectory(key)) return Status::OK();
  return removed;
}

std::string FileObjectStore::Uri(std::string_view key) const { return "file://" + PathOf(key); }

Result<std::string> FileObjectStore::KeyOf(std::string_view uri) const {
  std::string_view path = uri;
  for (const std::string_view scheme : {"file://", "file:"}) {
    if (!uri.starts_with(scheme)) continue;
    path.remove_prefix(scheme.size());
    break;
  }
  if (path.size() == uri.size() || !path.starts_with(root_ + "/")) {
    return Error(ErrorCode::kInvalidRequest, uri, " does not lie under file://", root_);
  }
  path.remove_prefix(root_.size() + 1);
  ARROW_RETURN_NOT_OK(CheckKey(path));
  return std::string(path);
}

Status FileObjectStore::CheckKey(std::string_view key) const {
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  if (key == kStagingName || key.starts_with(std::string(kStagingName) + "/")) {
    return Error(ErrorCode::kInvalidRequest, "object key '", key, "' is reserved");
  }
  return Status::OK();
}

std::string FileObjectStore::PathOf(std::string_view key) const {
  return root_ + "/" + std::string(key);
}

Result<std::unique_ptr<File>> FileObjectStore::OpenObject(std::string_view key) {
  ARROW_RETURN_NOT_OK(CheckKey(key));
  Result<std::unique_ptr<File>> opened = fs_.Open(PathOf(key), OpenMode::kRead);
  if (!opened.ok() && !IsNotFound(opened.status()) && IsDirectory(key)) {
    return Error(ErrorCode::kNotFound, PathOf(key), " is a directory");
  }
  return opened;
}

bool FileObjectStore::IsDirectory(std::string_view key) { return fs_.List(PathOf(key)).ok(); }

}  // namespace arka

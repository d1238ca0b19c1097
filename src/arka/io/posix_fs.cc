#include "arka/io/posix_fs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "arka/io/errno_status.h"
#include "arka/io/file_descriptor.h"
#include "arka/io/posix_file.h"

namespace arka {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

Result<FileDescriptor> OpenDescriptor(const std::string& path, int flags) {
  int number = -1;
  do {
    number = open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  } while (number < 0 && errno == EINTR);
  if (number < 0) return ErrnoStatus(errno, "open", path);
  return FileDescriptor(number);
}

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreateNew:
      break;
  }
  return O_RDWR | O_CREAT | O_EXCL;
}

std::string ParentOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(std::unique_ptr<PosixFile> file) : file_(std::move(file)) {}

 private:
  const std::unique_ptr<PosixFile> file_;  // closing it releases the lock
};

/// The process id that the holder of `file` wrote into it, or nothing readable: "".
std::string HolderOf(File& file) {
  std::array<std::byte, 20> bytes;
  const Result<size_t> count = file.Read(0, bytes);
  if (!count.ok()) return "";
  std::string digits(reinterpret_cast<const char*>(bytes.data()), *count);
  digits.resize(std::min(digits.size(), digits.find_first_not_of("0123456789")));
  return digits;
}

}  // namespace

Result<std::unique_ptr<File>> PosixFs::Open(const std::string& path, OpenMode mode) {
  ARROW_ASSIGN_OR_RAISE(FileDescriptor descriptor, OpenDescriptor(path, FlagsOf(mode)));
  struct stat status = {};
  if (fstat(descriptor.number(), &status) != 0) return ErrnoStatus(errno, "stat", path);
  if (S_ISDIR(status.st_mode)) return ErrnoStatus(EISDIR, "open", path);
  return std::make_unique<PosixFile>(std::move(descriptor), path);
}

Result<bool> PosixFs::Exists(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return ErrnoStatus(errno, "look at", path);
}

Status PosixFs::Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) {
    return ErrnoStatus(errno, "rename", from + " to " + to);
  }
  return Status::OK();
}

Status PosixFs::Remove(const std::string& path) {
  if (unlink(path.c_str()) != 0) return ErrnoStatus(errno, "remove", path);
  return Status::OK();
}

Result<std::vector<std::string>> PosixFs::List(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(directory.c_str()), closedir);
  if (stream == nullptr) return ErrnoStatus(errno, "list", directory);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;  // readdir tells an error from the end by errno alone
  }
  if (errno != 0) return ErrnoStatus(errno, "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixFs::CreateDirs(const std::string& directory) {
  if (directory.empty()) return ErrnoStatus(ENOENT, "create directory", directory);
  std::string prefix;
  for (const std::filesystem::path& part : std::filesystem::path(directory).lexically_normal()) {
    if (part.empty()) continue;  // a trailing slash
    prefix = (std::filesystem::path(prefix) / part).string();
    if (mkdir(prefix.c_str(), kDirectoryMode) == 0) {
      ARROW_RETURN_NOT_OK(SyncDir(ParentOf(prefix)));
      continue;
    }
    const int error_number = errno;
    struct stat status = {};
    if (stat(prefix.c_str(), &status) == 0) {
      if (S_ISDIR(status.st_mode)) continue;
      return Error(ErrorCode::kAlreadyExists, "cannot create directory ", directory, ": ", prefix,
                   " is there and is no directory; move it away");
    }
    return ErrnoStatus(error_number, "create directory", prefix);
  }
  return Status::OK();
}

Status PosixFs::SyncDir(const std::string& directory) {
  ARROW_ASSIGN_OR_RAISE(const FileDescriptor descriptor,
                        OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
  if (fsync(descriptor.number()) != 0) return ErrnoStatus(errno, "sync directory", directory);
  return Status::OK();
}

Result<std::unique_ptr<FileLock>> PosixFs::Lock(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(FileDescriptor descriptor, OpenDescriptor(path, O_RDWR | O_CREAT));
  const int number = descriptor.number();
  auto file = std::make_unique<PosixFile>(std::move(descriptor), path);
  // An open-file-description lock, so that a second one in this process is refused as well.
  struct flock whole_file = {};
  whole_file.l_type = F_WRLCK;
  whole_file.l_whence = SEEK_SET;
  if (fcntl(number, F_OFD_SETLK, &whole_file) != 0) {
    if (errno != EAGAIN && errno != EACCES) return ErrnoStatus(errno, "lock", path);
    const std::string holder = HolderOf(*file);
    return Error(ErrorCode::kUnavailable, path, " is locked by ",
                 holder.empty() ? "another process" : "process " + holder);
  }
  // The process id is for people: a full disk must not keep a server from its log.
  const std::string text = std::to_string(getpid()) + "\n";
  const ByteSpan part = std::as_bytes(std::span(text));
  Status written = file->Write(0, {&part, 1});
  if (written.ok()) written = file->Truncate(static_cast<int64_t>(text.size()));
  if (!written.ok() && CodeOf(written) != ErrorCode::kBackpressure) return written;
  return std::make_unique<PosixFileLock>(std::move(file));
}

Result<int64_t> PosixFs::FreeBytes(const std::string& path) {
  struct statvfs status = {};
  if (statvfs(path.c_str(), &status) != 0) return ErrnoStatus(errno, "ask for free space at", path);
  return static_cast<int64_t>(status.f_bavail) * static_cast<int64_t>(status.f_frsize);
}

}  // namespace arka

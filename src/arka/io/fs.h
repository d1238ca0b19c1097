// The local file system seam, with exactly what a log needs: positional I/O, sync, directory sync.
//
// Real: PosixFs (io/posix_fs.h). Tests: MemoryFs, which forgets unsynced bytes and directory
// entries at a simulated power loss, and FaultyFs, which fails by plan (testing/). All pass
// testing/fs_conformance. Paths are absolute or relative to the working directory, '/'-separated.
// Fs is thread-safe; a File may be used by several threads at once where their ranges do not
// overlap. Errors are kIoFailed (kNotFound where a named file is missing, kAlreadyExists for
// kCreateNew, kBackpressure when the disk is full: ENOSPC, EDQUOT) and name path and errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arka/base/error.h"

namespace arka {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

class File {
 public:
  virtual ~File() = default;  // closes, ignoring errors; nothing unsynced is promised

  /// Reads at `offset` until `out` is full or the file ends; answers the bytes read.
  virtual Result<size_t> Read(int64_t offset, MutableByteSpan out) = 0;

  /// Writes all of `parts`, one after the other, at `offset`. On error any prefix may have landed.
  virtual Status Write(int64_t offset, std::span<const ByteSpan> parts) = 0;

  /// As Write, for megabytes that nobody reads again soon: past the page cache where the file
  /// system can do that, which costs a tenth of the processor time. Sync is needed all the same.
  virtual Status WriteUncached(int64_t offset, std::span<const ByteSpan> parts) {
    return Write(offset, parts);
  }

  /// Returns once everything written is on the device (fdatasync). After an error, nothing written
  /// since the last good Sync may be trusted, and calling again proves nothing.
  virtual Status Sync() = 0;

  virtual Result<int64_t> Size() = 0;

  /// Cuts the file to `size` bytes, or extends it with zeros.
  virtual Status Truncate(int64_t size) = 0;

  /// Reserves device space for bytes [0, size), growing the file; ENOSPC now rather than later.
  virtual Status Allocate(int64_t size) = 0;
};

/// Held while it lives; released by the destructor or the death of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreateNew,  // must not exist; opened for reading and writing
};

class Fs {
 public:
  virtual ~Fs() = default;

  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  /// Atomic; replaces `to`. Durable only after SyncDir of both parents.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;
  /// The names (not paths) in `directory`, sorted; not "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  /// Makes `directory` and its missing parents, and syncs each parent it added to.
  virtual Status CreateDirs(const std::string& directory) = 0;
  /// Makes creations, renames and removals in `directory` durable.
  virtual Status SyncDir(const std::string& directory) = 0;
  /// Takes an exclusive lock on the file `path`, creating it; kUnavailable where somebody holds it,
  /// naming the holder's process id where it is known.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  /// Bytes that an unprivileged process may still write on the file system of `path`.
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;
};

}  // namespace arka

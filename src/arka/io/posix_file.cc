#include "arka/io/posix_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "arka/io/direct_write.h"
#include "arka/io/errno_status.h"

namespace arka {
namespace {

/// Calls `call` until it is not interrupted by a signal.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// What is left of a gathered write: parts [part, end) less the first `skip` bytes of `part`.
struct Remainder {
  std::span<const ByteSpan> parts;
  size_t part = 0;
  size_t skip = 0;

  void DropEmptyParts() {
    while (part < parts.size() && skip == parts[part].size()) {
      ++part;
      skip = 0;
    }
  }
  void Advance(size_t count) {
    while (count > 0) {
      const size_t taken = std::min(count, parts[part].size() - skip);
      skip += taken;
      count -= taken;
      DropEmptyParts();
    }
  }
};

}  // namespace

Result<size_t> PosixFile::Read(int64_t offset, MutableByteSpan out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = Uninterrupted([&] {
      return pread(descriptor_.number(), out.data() + done, out.size() - done,
                   offset + static_cast<int64_t>(done));
    });
    if (count < 0) return ErrnoStatus(errno, "read", path_);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

Status PosixFile::Write(int64_t offset, std::span<const ByteSpan> parts) {
  Remainder left{parts};
  left.DropEmptyParts();
  std::array<iovec, IOV_MAX> vectors;
  while (left.part < parts.size()) {
    size_t used = 0;
    for (size_t i = left.part; i < parts.size() && used < vectors.size(); ++i) {
      const ByteSpan rest = parts[i].subspan(i == left.part ? left.skip : 0);
      // pwritev only reads through the pointer; iovec has no const version.
      vectors[used++] = {const_cast<std::byte*>(rest.data()), rest.size()};
    }
    const ssize_t count = Uninterrupted([&] {
      return pwritev(descriptor_.number(), vectors.data(), static_cast<int>(used), offset);
    });
    if (count < 0) return ErrnoStatus(errno, "write", path_);
    if (count == 0) return ErrnoStatus(EIO, "write", path_);
    offset += count;
    left.Advance(static_cast<size_t>(count));
  }
  return Status::OK();
}

Status PosixFile::WriteUncached(int64_t offset, std::span<const ByteSpan> parts) {
  // No error of the direct write is told: where it stands for something, Write meets it too.
  size_t skip = WriteDirect(descriptor_.number(), offset, parts);
  offset += static_cast<int64_t>(skip);
  std::vector<ByteSpan> rest;
  for (const ByteSpan part : parts) {
    const size_t skipped = std::min(skip, part.size());
    skip -= skipped;
    if (skipped < part.size()) rest.push_back(part.subspan(skipped));
  }
  return Write(offset, rest);
}

Status PosixFile::Sync() {
  // Not retried on EINTR either: after any failed sync the kernel may have dropped dirty pages.
  if (fdatasync(descriptor_.number()) != 0) return ErrnoStatus(errno, "sync", path_);
  return Status::OK();
}

Result<int64_t> PosixFile::Size() {
  struct stat status = {};
  if (fstat(descriptor_.number(), &status) != 0) return ErrnoStatus(errno, "stat", path_);
  return static_cast<int64_t>(status.st_size);
}

Status PosixFile::Truncate(int64_t size) {
  if (Uninterrupted([&] { return ftruncate(descriptor_.number(), size); }) != 0) {
    return ErrnoStatus(errno, "truncate", path_);
  }
  return Status::OK();
}

Status PosixFile::Allocate(int64_t size) {
  if (size == 0) return Status::OK();
  int error_number = EINTR;  // posix_fallocate answers its error instead of setting errno
  while (error_number == EINTR) error_number = posix_fallocate(descriptor_.number(), 0, size);
  if (error_number != 0) return ErrnoStatus(error_number, "allocate space for", path_);
  return Status::OK();
}

}  // namespace arka

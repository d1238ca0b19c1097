#include "arka/io/direct_write.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "arka/io/file_descriptor.h"

namespace arka {
namespace {

/// No common device asks for a coarser alignment, and it is the page: so that no page is written
/// both directly and through the cache.
constexpr size_t kBlockBytes = 4096;
constexpr size_t kBounceBytes = 1 << 20;

size_t WholeBlocks(size_t bytes) { return bytes - bytes % kBlockBytes; }

/// The same file, opened once more: O_DIRECT is a property of the opening, and the caller's other
/// writes stay buffered. Invalid where it is refused.
FileDescriptor ReopenedDirect(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return FileDescriptor(-1);
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return FileDescriptor(open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
}

/// Copies out of `parts` in their order.
class Gather {
 public:
  explicit Gather(std::span<const ByteSpan> parts) : parts_(parts) {}

  void CopyTo(std::byte* out, size_t count) {
    while (count > 0) {
      const ByteSpan rest = parts_.front().subspan(taken_);
      const size_t copied = std::min(count, rest.size());
      if (copied > 0) std::memcpy(out, rest.data(), copied);
      out += copied;
      count -= copied;
      taken_ += copied;
      if (copied == rest.size()) {
        parts_ = parts_.subspan(1);
        taken_ = 0;
      }
    }
  }

 private:
  std::span<const ByteSpan> parts_;
  size_t taken_ = 0;  // of the first
};

}  // namespace

size_t WriteDirect(int descriptor, int64_t offset, std::span<const ByteSpan> parts) {
  size_t total = 0;
  for (const ByteSpan part : parts) total += part.size();
  total = WholeBlocks(total);
  if (total == 0 || offset % static_cast<int64_t>(kBlockBytes) != 0) return 0;
  const FileDescriptor direct = ReopenedDirect(descriptor);
  if (!direct.valid()) return 0;
  const size_t bounce_bytes = std::min(total, kBounceBytes);
  const std::unique_ptr<std::byte, decltype(&std::free)> bounce(
      static_cast<std::byte*>(std::aligned_alloc(kBlockBytes, bounce_bytes)), &std::free);
  if (!bounce) return 0;
  Gather gather(parts);
  size_t done = 0;
  while (done < total) {
    const size_t size = std::min(total - done, bounce_bytes);
    gather.CopyTo(bounce.get(), size);
    ssize_t count = -1;
    do {
      count = pwrite(direct.number(), bounce.get(), size, offset + static_cast<int64_t>(done));
    } while (count < 0 && errno == EINTR);
    if (count < 0) return done;
    done += WholeBlocks(static_cast<size_t>(count));
    if (static_cast<size_t>(count) < size) return done;
  }
  return done;
}

}  // namespace arka

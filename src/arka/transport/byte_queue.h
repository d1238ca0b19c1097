// Bytes on their way out: small pieces are copied together, large buffers are kept by reference.
//
// Used twice: per stream (what the handler wrote and the peer's window does not yet allow) and per
// connection (what goes to the socket next, gathered into few system calls). Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <sys/uio.h>

namespace arka::transport {

class ByteQueue {
 public:
  void AppendCopy(const void* data, size_t size_bytes);
  /// By reference where that is cheaper than a copy.
  void Append(std::shared_ptr<arrow::Buffer> buffer);

  /// Moves the first `size_bytes` (at most size()) to the end of `to`.
  void MoveTo(ByteQueue& to, size_t size_bytes);

  /// Describes the front of the queue; answers how many entries of `out` were filled.
  int Gather(iovec* out, int capacity) const;
  /// Forgets the first `size_bytes` (at most size()).
  void Pop(size_t size_bytes);
  void Clear();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Segment {
    std::string copied;                     // used where there is no reference
    std::shared_ptr<arrow::Buffer> shared;  //
    size_t begin = 0;
    size_t end = 0;  // only for `shared`: copied ends with its string

    const char* data() const;
    size_t size() const;
  };
  void AppendSlice(std::shared_ptr<arrow::Buffer> buffer, size_t begin, size_t end);
  void DropFront();

  std::vector<Segment> segments_;
  std::string spare_;  // a small string of an emptied queue, used again
  size_t front_ = 0;
  size_t size_ = 0;
};

}  // namespace arka::transport

#include "arka/transport/byte_queue.h"

#include <algorithm>
#include <utility>

namespace arka::transport {
namespace {

constexpr size_t kCopyBelowBytes = 4096;
constexpr size_t kSegmentBytes = 64 << 10;  // copies are joined up to here
constexpr size_t kKeepCapacityBytes = 512;  // an empty queue holds on to no more than this

}  // namespace

const char* ByteQueue::Segment::data() const {
  return (shared ? reinterpret_cast<const char*>(shared->data()) : copied.data()) + begin;
}

size_t ByteQueue::Segment::size() const { return (shared ? end : copied.size()) - begin; }

void ByteQueue::AppendCopy(const void* data, size_t size_bytes) {
  if (size_bytes == 0) return;
  if (front_ == segments_.size() || segments_.back().shared ||
      segments_.back().copied.size() + size_bytes > kSegmentBytes) {
    segments_.emplace_back();
    segments_.back().copied.swap(spare_);
  }
  segments_.back().copied.append(static_cast<const char*>(data), size_bytes);
  size_ += size_bytes;
}

void ByteQueue::Append(std::shared_ptr<arrow::Buffer> buffer) {
  if (!buffer) return;
  const size_t size = static_cast<size_t>(buffer->size());
  AppendSlice(std::move(buffer), 0, size);
}

void ByteQueue::AppendSlice(std::shared_ptr<arrow::Buffer> buffer, size_t begin, size_t end) {
  if (end - begin < kCopyBelowBytes) return AppendCopy(buffer->data() + begin, end - begin);
  size_ += end - begin;
  segments_.push_back({{}, std::move(buffer), begin, end});
}

void ByteQueue::MoveTo(ByteQueue& to, size_t size_bytes) {
  size_bytes = std::min(size_bytes, size_);
  while (size_bytes > 0) {
    Segment& segment = segments_[front_];
    const size_t taken = std::min(size_bytes, segment.size());
    if (segment.shared) {
      to.AppendSlice(segment.shared, segment.begin, segment.begin + taken);
    } else {
      to.AppendCopy(segment.data(), taken);
    }
    Pop(taken);
    size_bytes -= taken;
  }
}

int ByteQueue::Gather(iovec* out, int capacity) const {
  int count = 0;
  for (size_t i = front_; i < segments_.size() && count < capacity; ++i, ++count) {
    out[count] = {const_cast<char*>(segments_[i].data()), segments_[i].size()};
  }
  return count;
}

void ByteQueue::Pop(size_t size_bytes) {
  size_bytes = std::min(size_bytes, size_);
  size_ -= size_bytes;
  while (size_bytes > 0) {
    Segment& segment = segments_[front_];
    const size_t taken = std::min(size_bytes, segment.size());
    segment.begin += taken;
    size_bytes -= taken;
    if (segment.size() == 0) DropFront();
  }
}

void ByteQueue::DropFront() {
  if (front_ + 1 == segments_.size()) {
    Segment& last = segments_.back();
    if (!last.shared && last.copied.capacity() <= kKeepCapacityBytes) {
      spare_ = std::move(last.copied);
      spare_.clear();
    }
    segments_.clear();
    front_ = 0;
    if (segments_.capacity() > 8) segments_ = {};
    return;
  }
  segments_[front_++] = {};
  if (front_ >= 64 && front_ * 2 > segments_.size()) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(front_));
    front_ = 0;
  }
}

void ByteQueue::Clear() {
  segments_ = {};
  front_ = 0;
  size_ = 0;
}

}  // namespace arka::transport

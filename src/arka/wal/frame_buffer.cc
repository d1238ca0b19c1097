#include "arka/wal/frame_buffer.h"

#include <algorithm>
#include <cstring>

#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::wal {

namespace f = frame_field;

namespace {

constexpr size_t kBlockBytes = 256 << 10;

ByteSpan SpanOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  if (buffer == nullptr || buffer->size() == 0) return {};
  return {reinterpret_cast<const std::byte*>(buffer->data()), static_cast<size_t>(buffer->size())};
}

void CopyTo(std::byte* to, const void* from, size_t size) {
  if (size != 0) std::memcpy(to, from, size);
}

}  // namespace

void FrameBuffer::Reset(uint32_t crc) {
  // A block of unusual size served one large head; let it go.
  std::erase_if(blocks_, [](const Block& block) { return block.capacity > kBlockBytes; });
  block_ = 0;
  used_ = 0;
  parts_.clear();
  size_bytes_ = 0;
  crc_ = crc;
}

std::byte* FrameBuffer::Reserve(size_t size) {
  while (block_ < blocks_.size() && blocks_[block_].capacity - used_ < size) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t capacity = std::max(size, kBlockBytes);
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(capacity), capacity});
  }
  std::byte* bytes = blocks_[block_].bytes.get() + used_;
  used_ += size;
  return bytes;
}

void FrameBuffer::Commit(std::byte* bytes, size_t size) {
  if (!parts_.empty() && parts_.back().data() + parts_.back().size() == bytes) {
    parts_.back() = ByteSpan(parts_.back().data(), parts_.back().size() + size);
  } else {
    parts_.emplace_back(bytes, size);
  }
  size_bytes_ += static_cast<int64_t>(size);
}

void FrameBuffer::AddGroup(const GroupHeader& group, uint32_t segment_crc) {
  std::byte* head = Reserve(kFrameHeaderBytes);
  std::memset(head, 0, kFrameHeaderBytes);
  StoreLittle(head + f::kLength, static_cast<uint32_t>(kFrameHeaderBytes));
  StoreLittle(head + f::kType, static_cast<uint8_t>(FrameType::kGroup));
  StoreLittle(head + f::kFlags, static_cast<uint8_t>(group.seals ? 1 : 0));
  StoreLittle(head + f::kDefinition, group.writes);
  StoreLittle(head + f::kLsn, group.first_lsn.value);
  StoreLittle(head + f::kSeq, group.last_lsn.value);
  StoreLittle(head + f::kTimestamp, group.offset);
  StoreLittle(head + f::kAnchor, GroupAnchor(segment_crc, head));
  AddWithBody(head, FrameLayout(0, 0, 0), kFrameHeaderBytes, {});
}

void FrameBuffer::AddDefinition(const Definition& definition) {
  const ByteSpan body = SpanOf(definition.bytes);
  const FrameLayout layout(0, 0, static_cast<int64_t>(body.size()));
  const bool copied = static_cast<int64_t>(body.size()) <= kCopiedBodyBytes;
  std::byte* head = Reserve(static_cast<size_t>(copied ? layout.total : layout.body_offset));
  std::memset(head, 0, kFrameHeaderBytes);
  StoreLittle(head + f::kLength, static_cast<uint32_t>(layout.total));
  StoreLittle(head + f::kType, static_cast<uint8_t>(FrameType::kDefinition));
  StoreLittle(head + f::kDefinition, definition.id.value);
  StoreLittle(head + f::kBodyBytes, static_cast<uint32_t>(body.size()));
  AddWithBody(head, layout, kFrameHeaderBytes, body);
}

void FrameBuffer::AddWrite(const WriteRecord& record) {
  const ByteSpan header = SpanOf(record.header);
  const ByteSpan body = SpanOf(record.body);
  const FrameLayout layout(static_cast<int64_t>(record.producer.size()),
                           static_cast<int64_t>(header.size()), static_cast<int64_t>(body.size()));
  const bool copied = static_cast<int64_t>(body.size()) <= kCopiedBodyBytes;
  std::byte* head = Reserve(static_cast<size_t>(copied ? layout.total : layout.body_offset));
  std::memset(head, 0, kFrameHeaderBytes);
  StoreLittle(head + f::kLength, static_cast<uint32_t>(layout.total));
  StoreLittle(head + f::kType, static_cast<uint8_t>(FrameType::kWrite));
  StoreLittle(head + f::kProducerBytes, static_cast<uint16_t>(record.producer.size()));
  StoreLittle(head + f::kDefinition, record.definition.value);
  StoreLittle(head + f::kLsn, record.lsn.value);
  StoreLittle(head + f::kSeq, record.seq);
  StoreLittle(head + f::kEpoch, record.epoch);
  StoreLittle(head + f::kTimestamp, record.timestamp.time_since_epoch().count());
  StoreLittle(head + f::kHeaderBytes, static_cast<uint32_t>(header.size()));
  StoreLittle(head + f::kBodyBytes, static_cast<uint32_t>(body.size()));
  CopyTo(head + kFrameHeaderBytes, record.producer.data(), record.producer.size());
  CopyTo(head + kFrameHeaderBytes + record.producer.size(), header.data(), header.size());
  AddWithBody(head, layout,
              kFrameHeaderBytes + static_cast<int64_t>(record.producer.size() + header.size()),
              body);
}

// Pads the head, adds the body, copied or pointed at, pads that, and closes the frame with its CRC.
void FrameBuffer::AddWithBody(std::byte* head, const FrameLayout& layout, int64_t head_used,
                              ByteSpan body) {
  std::memset(head + head_used, 0, static_cast<size_t>(layout.body_offset - head_used));
  const auto body_end = layout.body_offset + static_cast<int64_t>(body.size());
  const auto padding = static_cast<size_t>(layout.total - body_end);
  if (static_cast<int64_t>(body.size()) <= kCopiedBodyBytes) {
    CopyTo(head + layout.body_offset, body.data(), body.size());
    std::memset(head + body_end, 0, padding);
    crc_ = ExtendCrc32c(
        crc_, ByteSpan(head + f::kLength, static_cast<size_t>(layout.total - f::kLength)));
    Commit(head, static_cast<size_t>(layout.total));
  } else {
    crc_ = ExtendCrc32c(
        crc_, ByteSpan(head + f::kLength, static_cast<size_t>(layout.body_offset - f::kLength)));
    crc_ = ExtendCrc32c(crc_, body);
    Commit(head, static_cast<size_t>(layout.body_offset));
    parts_.push_back(body);
    size_bytes_ += static_cast<int64_t>(body.size());
    if (padding != 0) {
      std::byte* zeros = Reserve(padding);
      std::memset(zeros, 0, padding);
      crc_ = ExtendCrc32c(crc_, ByteSpan(zeros, padding));
      Commit(zeros, padding);
    }
  }
  StoreLittle(head + f::kCrc, crc_);
}

}  // namespace arka::wal

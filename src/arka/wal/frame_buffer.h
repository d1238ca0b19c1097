// Frames on their way to a file or object: the heads written here, large bodies only pointed at.
//
// Heads and small bodies lie one behind the other in blocks that are kept from use to use, so a
// group of small records is one part to write. Bodies past kCopiedBodyBytes are never copied: they
// must live until the parts are written. For one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "arka/wal/record.h"

namespace arka::wal {

/// Up to here copying a body is cheaper than another part of a vectored write.
inline constexpr int64_t kCopiedBodyBytes = 4096;

class FrameBuffer {
 public:
  /// Forgets all parts; the next frame continues `crc`.
  void Reset(uint32_t crc);

  /// `segment_crc` is that of the segment's header.
  void AddGroup(const GroupHeader& group, uint32_t segment_crc);
  void AddDefinition(const Definition& definition);
  void AddWrite(const WriteRecord& record);

  /// Everything added, in order; valid until Reset.
  std::span<const ByteSpan> parts() const { return parts_; }
  int64_t size_bytes() const { return size_bytes_; }
  /// The last frame's CRC.
  uint32_t crc() const { return crc_; }

 private:
  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t capacity = 0;
  };

  std::byte* Reserve(size_t size);
  void Commit(std::byte* bytes, size_t size);
  void AddWithBody(std::byte* head, const FrameLayout& layout, int64_t head_used, ByteSpan body);

  std::vector<Block> blocks_;
  size_t block_ = 0;  // the one in use
  size_t used_ = 0;   // bytes of it
  std::vector<ByteSpan> parts_;
  int64_t size_bytes_ = 0;
  uint32_t crc_ = 0;
};

}  // namespace arka::wal

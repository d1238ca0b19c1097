// The bytes of one file of MemoryFs, twice: as programs see them now, and as the device holds them,
// with the changes between the two in the order in which they were made.
//
// Not thread-safe: MemoryFs guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arka/io/fs.h"
#include "arka/io/random.h"

namespace arka {

/// What is left of writes that no sync covered when the power fails.
enum class PowerLoss {
  kDropUnsynced,  // nothing
  kKeepPrefix,    // the first of them, in order, the last of these torn at a 512 B sector
  kTearSectors,   // any of their 512 B sectors: reordered, torn
  kTearPages,     // any of their 4 KiB pages
};

class MemoryInode {
 public:
  using Bytes = std::vector<std::byte>;
  static constexpr int64_t kBlockSize = 4096;

  const Bytes& current() const { return current_; }
  const Bytes& durable() const { return durable_; }

  void Write(int64_t offset, ByteSpan bytes);
  void Resize(int64_t size);
  /// Counts the blocks of [0, size) as used, and grows the file to it.
  void Allocate(int64_t size);
  void Sync();

  /// Makes unsynced changes undurable for ever: what the kernel does after a failed fsync. Programs
  /// still see them.
  void ForgetUnsynced();
  /// Replaces both versions, as if the bytes had always been on the device.
  void Replace(Bytes bytes);
  /// Both versions become what a power loss leaves of this file.
  void LosePower(PowerLoss mode, Random& random);

  /// Device blocks in use: holes cost nothing.
  int64_t blocks_used() const { return blocks_used_; }
  /// Blocks that writing [offset, offset + size) would use in addition.
  int64_t BlocksNeeded(int64_t offset, int64_t size) const;

 private:
  struct Change {
    bool is_resize;
    int64_t offset;  // of a resize: the new size
    Bytes bytes;
  };

  static void Apply(Bytes& target, int64_t offset, ByteSpan bytes);
  void ApplyTorn(const Change& change, int64_t unit, Random& random);
  void UseBlocks(int64_t offset, int64_t size);

  Bytes current_;
  Bytes durable_;
  std::vector<Change> unsynced_;
  std::vector<bool> blocks_;  // by number, whether it is in use
  int64_t blocks_used_ = 0;   // how many of them are
};

}  // namespace arka

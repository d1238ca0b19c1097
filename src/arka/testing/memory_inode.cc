#include "arka/testing/memory_inode.h"

#include <algorithm>
#include <utility>

namespace arka {
namespace {

constexpr int64_t kSectorSize = 512;
constexpr int64_t kPageSize = 4096;

size_t Position(int64_t value) { return static_cast<size_t>(value); }

}  // namespace

void MemoryInode::Apply(Bytes& target, int64_t offset, ByteSpan bytes) {
  if (bytes.empty()) return;
  const size_t end = Position(offset) + bytes.size();
  if (target.size() < end) target.resize(end);
  std::copy(bytes.begin(), bytes.end(), target.begin() + offset);
}

void MemoryInode::Write(int64_t offset, ByteSpan bytes) {
  Apply(current_, offset, bytes);
  UseBlocks(offset, static_cast<int64_t>(bytes.size()));
  unsynced_.push_back({false, offset, Bytes(bytes.begin(), bytes.end())});
}

void MemoryInode::Resize(int64_t size) {
  current_.resize(Position(size));
  const int64_t blocks = (size + kBlockSize - 1) / kBlockSize;
  if (static_cast<int64_t>(blocks_.size()) > blocks) {
    blocks_used_ -= std::count(blocks_.begin() + blocks, blocks_.end(), true);
    blocks_.resize(Position(blocks));
  }
  unsynced_.push_back({true, size, {}});
}

void MemoryInode::Allocate(int64_t size) {
  UseBlocks(0, size);
  if (static_cast<int64_t>(current_.size()) < size) Resize(size);
}

void MemoryInode::Sync() {
  for (const Change& change : unsynced_) {
    if (change.is_resize) {
      durable_.resize(Position(change.offset));
    } else {
      Apply(durable_, change.offset, change.bytes);
    }
  }
  unsynced_.clear();
}

void MemoryInode::ForgetUnsynced() { unsynced_.clear(); }

void MemoryInode::Replace(Bytes bytes) {
  current_ = bytes;
  durable_ = std::move(bytes);
  unsynced_.clear();
  blocks_.clear();
  blocks_used_ = 0;
  UseBlocks(0, static_cast<int64_t>(current_.size()));
}

void MemoryInode::LosePower(PowerLoss mode, Random& random) {
  switch (mode) {
    case PowerLoss::kDropUnsynced:
      break;
    case PowerLoss::kKeepPrefix: {
      const uint64_t kept = random.Next() % (unsynced_.size() + 1);
      for (size_t i = 0; i < kept; ++i) {
        Change& change = unsynced_[i];
        if (i + 1 == kept && !change.bytes.empty()) {
          // Cut at a sector's border as the device counts them, not from the write's start.
          const int64_t end = change.offset + static_cast<int64_t>(change.bytes.size());
          const int64_t first = change.offset / kSectorSize + 1;
          const int64_t count = end / kSectorSize - first + 1;
          if (count > 0) {
            const int64_t cut =
                (first + static_cast<int64_t>(random.Next() % Position(count))) * kSectorSize;
            change.bytes.resize(Position(std::min(cut, end) - change.offset));
          }
        }
        if (change.is_resize) {
          durable_.resize(Position(change.offset));
        } else {
          Apply(durable_, change.offset, change.bytes);
        }
      }
      break;
    }
    case PowerLoss::kTearSectors:
      for (const Change& change : unsynced_) ApplyTorn(change, kSectorSize, random);
      break;
    case PowerLoss::kTearPages:
      for (const Change& change : unsynced_) ApplyTorn(change, kPageSize, random);
      break;
  }
  Replace(std::move(durable_));
}

void MemoryInode::ApplyTorn(const Change& change, int64_t unit, Random& random) {
  if (change.is_resize) {
    if (random.Next() % 2 == 0) durable_.resize(Position(change.offset));
    return;
  }
  const int64_t end = change.offset + static_cast<int64_t>(change.bytes.size());
  for (int64_t begin = change.offset; begin < end;) {
    const int64_t piece_end = std::min(end, (begin / unit + 1) * unit);
    if (random.Next() % 2 == 0) {
      Apply(durable_, begin,
            ByteSpan(change.bytes)
                .subspan(Position(begin - change.offset), Position(piece_end - begin)));
    }
    begin = piece_end;
  }
}

int64_t MemoryInode::BlocksNeeded(int64_t offset, int64_t size) const {
  int64_t needed = 0;
  for (int64_t block = offset / kBlockSize; block * kBlockSize < offset + size; ++block) {
    if (block >= static_cast<int64_t>(blocks_.size()) || !blocks_[Position(block)]) ++needed;
  }
  return needed;
}

void MemoryInode::UseBlocks(int64_t offset, int64_t size) {
  if (size == 0) return;
  blocks_used_ += BlocksNeeded(offset, size);
  const int64_t end = (offset + size + kBlockSize - 1) / kBlockSize;
  if (static_cast<int64_t>(blocks_.size()) < end) blocks_.resize(Position(end));
  std::fill(blocks_.begin() + offset / kBlockSize, blocks_.begin() + end, true);
}

}  // namespace arka

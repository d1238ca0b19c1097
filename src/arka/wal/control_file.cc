#include "arka/wal/control_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::wal {

namespace {

constexpr char kMagic[8] = {'A', 'R', 'K', 'A', '-', 'C', 'T', 'L'};
constexpr size_t kBytes = 128;
constexpr int64_t kCopyStride = 4096;  // each copy in a block of its own
constexpr const char* kAside = ".tmp";

enum Field : size_t {
  kVersion = 8,        // u32
  kCrc = 12,           // u32
  kEpoch = 16,         // i64
  kReserved = 24,      // i64
  kFirstSegment = 32,  // i64
  kClean = 40,         // u8
  kIncomplete = 41,    // u8
  kTailSegment = 48,   // i64
  kTailOffset = 56,    // i64
  kTailLastLsn = 64,   // i64
  kTailCrc = 72,       // u32
  kSequence = 80,      // i64
  kLostThrough = 88,   // i64
};

using Bytes = std::array<std::byte, kBytes>;

uint32_t CrcOf(const Bytes& bytes) {
  const uint32_t crc = Crc32c(ByteSpan(bytes).first(kCrc));
  return ExtendCrc32c(crc, ByteSpan(bytes).subspan(kEpoch));
}

Bytes Encode(const LogState& state, int64_t sequence) {
  Bytes bytes{};
  std::byte* at = bytes.data();
  std::memcpy(at, kMagic, sizeof(kMagic));
  StoreLittle(at + kVersion, kFormatVersion);
  StoreLittle(at + kEpoch, state.epoch);
  StoreLittle(at + kReserved, state.reserved_through.value);
  StoreLittle(at + kFirstSegment, state.first_segment);
  StoreLittle(at + kClean, static_cast<uint8_t>(state.clean));
  StoreLittle(at + kTailSegment, state.tail.segment);
  StoreLittle(at + kTailOffset, state.tail.offset);
  StoreLittle(at + kTailLastLsn, state.tail.last_lsn.value);
  StoreLittle(at + kTailCrc, state.tail.crc);
  StoreLittle(at + kSequence, sequence);
  StoreLittle(at + kIncomplete, static_cast<uint8_t>(state.incomplete));
  if (state.lost_through > kNoLsn) StoreLittle(at + kLostThrough, state.lost_through.value);
  StoreLittle(at + kCrc, CrcOf(bytes));
  return bytes;
}

LogState Decode(const Bytes& bytes) {
  const std::byte* at = bytes.data();
  return {.epoch = LoadLittle<int64_t>(at + kEpoch),
          .reserved_through = Lsn{LoadLittle<int64_t>(at + kReserved)},
          .first_segment = LoadLittle<int64_t>(at + kFirstSegment),
          .clean = LoadLittle<uint8_t>(at + kClean) != 0,
          .tail = {.segment = LoadLittle<int64_t>(at + kTailSegment),
                   .offset = LoadLittle<int64_t>(at + kTailOffset),
                   .last_lsn = Lsn{LoadLittle<int64_t>(at + kTailLastLsn)},
                   .crc = LoadLittle<uint32_t>(at + kTailCrc)},
          .incomplete = LoadLittle<uint8_t>(at + kIncomplete) != 0,
          .lost_through = std::max(kNoLsn, Lsn{LoadLittle<int64_t>(at + kLostThrough)})};
}

bool IsWhole(const Bytes& bytes) {
  return std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) == 0 &&
         LoadLittle<uint32_t>(bytes.data() + kCrc) == CrcOf(bytes);
}

}  // namespace

ControlFile::ControlFile(Fs& fs, std::string directory)
    : fs_(fs), directory_(std::move(directory)) {}

Result<std::optional<LogState>> ControlFile::Read(OpenMode mode) {
  const std::string path = directory_ + "/" + kControlFileName;
  ARROW_ASSIGN_OR_RAISE(const bool exists, fs_.Exists(path));
  if (!exists) return std::nullopt;
  const std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(file_, fs_.Open(path, mode));
  sequence_ = 0;
  weaker_ = 0;
  for (int copy = 0; copy < 2; ++copy) {
    Bytes bytes{};
    ARROW_ASSIGN_OR_RAISE(const size_t read, file_->Read(copy * kCopyStride, bytes));
    if (read != bytes.size() || !IsWhole(bytes)) {
      weaker_ = copy;
      continue;
    }
    if (const auto version = LoadLittle<uint32_t>(bytes.data() + kVersion);
        version != kFormatVersion) {
      return UnknownVersion(version, "wal: " + path);
    }
    const auto sequence = LoadLittle<int64_t>(bytes.data() + kSequence);
    if (sequence < sequence_) weaker_ = copy;
    if (sequence <= sequence_) continue;
    sequence_ = sequence;
    state_ = Decode(bytes);
  }
  if (sequence_ == 0) {
    return Error(ErrorCode::kCorruption, "wal: ", path, ": both copies fail their CRC");
  }
  return state_;
}

Status ControlFile::Update(const std::function<void(LogState&)>& change) {
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr) ARROW_RETURN_NOT_OK(Create());
  LogState changed = state_;
  change(changed);
  ++sequence_;
  ARROW_RETURN_NOT_OK(WriteCopies(changed));
  state_ = changed;
  return Status::OK();
}

Status ControlFile::Create() {
  const std::string aside = directory_ + "/" + kControlFileName + kAside;
  ARROW_ASSIGN_OR_RAISE(const bool leftover, fs_.Exists(aside));
  if (leftover) ARROW_RETURN_NOT_OK(fs_.Remove(aside));
  ARROW_ASSIGN_OR_RAISE(file_, fs_.Open(aside, OpenMode::kCreateNew));
  Status status = file_->Allocate(2 * kCopyStride);
  ++sequence_;
  if (status.ok()) status = WriteCopies(state_);
  if (status.ok()) status = fs_.Rename(aside, directory_ + "/" + kControlFileName);
  if (status.ok()) status = fs_.SyncDir(directory_);
  if (!status.ok()) file_.reset();
  return status;
}

Status ControlFile::WriteCopies(const LogState& state) {
  ARROW_RETURN_NOT_OK(WriteCopy(weaker_, state));
  weaker_ = 1 - weaker_;  // it is the older one now, and torn where writing it fails
  return WriteCopy(weaker_, state);
}

Status ControlFile::WriteCopy(int copy, const LogState& state) {
  const Bytes bytes = Encode(state, sequence_);
  const std::array<ByteSpan, 1> parts = {bytes};
  ARROW_RETURN_NOT_OK(file_->Write(copy * kCopyStride, parts));
  return file_->Sync();
}

LogState ControlFile::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace arka::wal

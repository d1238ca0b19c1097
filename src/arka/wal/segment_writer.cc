#include "arka/wal/segment_writer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace arka::wal {

SegmentWriter::SegmentWriter(Fs& fs, Clock& clock, SegmentPool& pool, Options options)
    : fs_(fs),
      clock_(clock),
      pool_(pool),
      options_(std::move(options)),
      position_(options_.predecessor),
      next_number_(options_.first_number) {}

// Room for a mark is kept back.
int64_t SegmentWriter::room() const {
  if (segment_ == nullptr) return 0;
  return segment_->size_bytes() - position_.offset - kFrameHeaderBytes;
}

Status SegmentWriter::Activate(Lsn first_lsn, int64_t min_bytes) {
  const int64_t needed = kSegmentHeaderBytes + min_bytes + kFrameHeaderBytes;
  const int64_t size = std::max(options_.segment_bytes, needed);
  SegmentHeader header{.node = options_.node,
                       .epoch = options_.epoch,
                       .number = next_number_,
                       .first_lsn = first_lsn,
                       .created_us = clock_.WallNow().time_since_epoch().count(),
                       .predecessor = position_,
                       .crc = 0};
  ARROW_ASSIGN_OR_RAISE(SegmentPool::Spare spare, FileFor(size));
  const std::string path = options_.directory + "/" + SegmentFileName(header.number);
  Status status = WriteHeader(*spare.file, header);
  if (status.ok()) status = fs_.Rename(spare.path, path);
  if (!status.ok()) {
    (void)fs_.Remove(spare.path);  // the next start removes it otherwise
    pool_.CountUsed(-size);
    return status;
  }
  ARROW_RETURN_NOT_OK(fs_.SyncDir(options_.directory));
  if (segment_ != nullptr) ARROW_RETURN_NOT_OK(WriteMark(/*seals=*/true));

  segment_ = std::make_shared<Segment>(header, path, std::move(spare.file), size);
  position_ = FirstPoint(header);
  ++next_number_;
  return Status::OK();
}

Result<SegmentPool::Spare> SegmentWriter::FileFor(int64_t size_bytes) {
  if (size_bytes == options_.segment_bytes) {
    if (std::optional<SegmentPool::Spare> spare = pool_.Take()) return std::move(*spare);
  }
  SegmentPool::Spare fresh{.path = options_.directory + "/fresh.tmp", .file = nullptr};
  ARROW_ASSIGN_OR_RAISE(const bool leftover, fs_.Exists(fresh.path));
  if (leftover) ARROW_RETURN_NOT_OK(fs_.Remove(fresh.path));
  ARROW_RETURN_NOT_OK(pool_.CheckRoomFor(size_bytes, size_bytes));
  ARROW_ASSIGN_OR_RAISE(fresh.file, fs_.Open(fresh.path, OpenMode::kCreateNew));
  if (const Status status = fresh.file->Allocate(size_bytes); !status.ok()) {
    (void)fs_.Remove(fresh.path);
    return status;
  }
  pool_.CountUsed(size_bytes);
  return fresh;
}

Status SegmentWriter::WriteHeader(File& file, SegmentHeader& header) {
  std::array<std::byte, kSegmentHeaderBytes> bytes;
  EncodeSegmentHeader(header, bytes);
  const std::array<ByteSpan, 1> parts = {bytes};
  ARROW_RETURN_NOT_OK(file.Write(0, parts));
  return file.Sync();
}

Status SegmentWriter::Write(const FrameBuffer& frames) {
  pool_.NoteLogWrite();
  return segment_->file().Write(position_.offset, frames.parts());
}

Status SegmentWriter::Sync(const FrameBuffer& frames, Lsn last_lsn) {
  ARROW_RETURN_NOT_OK(segment_->file().Sync());
  const ChainPoint start = position_;
  position_.offset += frames.size_bytes();
  position_.crc = frames.crc();
  position_.last_lsn = last_lsn;
  segment_->Extend(start, position_);
  return Status::OK();
}

Status SegmentWriter::WriteMark(bool seals) {
  mark_.Reset(position_.crc);
  mark_.AddGroup({.first_lsn = position_.last_lsn.next(),
                  .last_lsn = position_.last_lsn,
                  .offset = position_.offset,
                  .writes = 0,
                  .seals = seals},
                 segment_->header().crc);
  const Status written = segment_->file().Write(position_.offset, mark_.parts());
  // Evidence is nice to have: a full disk goes without.
  return CodeOf(written) == ErrorCode::kBackpressure ? Status::OK() : written;
}

}  // namespace arka::wal

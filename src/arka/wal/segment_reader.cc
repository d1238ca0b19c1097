#include "arka/wal/segment_reader.h"

#include <utility>

#include "arka/wal/byte_order.h"
#include "arka/wal/segment.h"

namespace arka::wal {

namespace {

std::shared_ptr<arrow::Buffer> Slice(const std::shared_ptr<arrow::Buffer>& parent, ByteSpan part) {
  const auto offset = part.data() - reinterpret_cast<const std::byte*>(parent->data());
  return arrow::SliceBuffer(parent, offset, static_cast<int64_t>(part.size()));
}

}  // namespace

ByteSpan SpanOf(const arrow::Buffer& buffer) {
  return {reinterpret_cast<const std::byte*>(buffer.data()), static_cast<size_t>(buffer.size())};
}

WriteRecord RecordOf(const Frame& frame, const std::shared_ptr<arrow::Buffer>& parent) {
  return {.lsn = frame.lsn,
          .definition = frame.definition,
          .producer = std::string(reinterpret_cast<const char*>(frame.producer.data()),
                                  frame.producer.size()),
          .seq = frame.seq,
          .epoch = frame.epoch,
          .timestamp = WallTime(std::chrono::microseconds(frame.timestamp_us)),
          .header = Slice(parent, frame.header),
          .body = Slice(parent, frame.body)};
}

Definition DefinitionOf(const Frame& frame, const std::shared_ptr<arrow::Buffer>& parent) {
  return {.id = frame.definition, .bytes = Slice(parent, frame.body)};
}

Result<SegmentReader> SegmentReader::Read(File& file) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file.Size());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(size));
  const MutableByteSpan to(reinterpret_cast<std::byte*>(bytes->mutable_data()),
                           static_cast<size_t>(size));
  ARROW_ASSIGN_OR_RAISE(const size_t read, file.Read(0, to));
  if (read != to.size()) {
    return Error(ErrorCode::kIoFailed, "read ", read, " of ", size, " bytes");
  }
  ARROW_ASSIGN_OR_RAISE(SegmentHeader header, DecodeSegmentHeader(to));
  return SegmentReader(std::move(bytes), std::move(header));
}

SegmentReader::SegmentReader(std::shared_ptr<arrow::Buffer> bytes, SegmentHeader header)
    : bytes_(std::move(bytes)),
      span_(SpanOf(*bytes_)),
      header_(std::move(header)),
      position_(FirstPoint(header_)),
      group_start_(position_) {}

Result<std::optional<Frame>> SegmentReader::Next() {
  Result<std::optional<Frame>> parsed = ParseFrame(span_, position_.offset, position_.crc);
  Status status = parsed.status();
  if (status.ok() && parsed->has_value() && IsStale(**parsed)) return std::nullopt;
  if (status.ok() && parsed->has_value()) status = Check(**parsed);
  if (!status.ok()) return WithContext(status, "offset " + std::to_string(position_.offset));
  if (!parsed->has_value()) return std::nullopt;

  const Frame& frame = **parsed;
  if (frame.type == FrameType::kGroup) {
    if (frame.group.writes == 0) {
      marked_ = true;
      sealed_ = frame.group.seals;
      return std::nullopt;
    }
    group_start_ = position_;
  } else if (frame.type == FrameType::kWrite) {
    position_.last_lsn = frame.lsn;
  }
  position_.offset += frame.length;
  position_.crc = frame.crc;
  return parsed;
}

// Its anchor, itself a CRC that continues the segment header's, makes the CRC of every segment's
// first group frame the same: up to the first write behind it the chain does not tell this life of
// the file from an earlier one. LSNs do, since none is ever given twice.
bool SegmentReader::IsStale(const Frame& frame) const {
  return frame.type == FrameType::kWrite && position_.last_lsn == FirstPoint(header_).last_lsn &&
         frame.lsn < header_.first_lsn;
}

Status SegmentReader::Check(const Frame& frame) const {
  const Lsn expected = position_.last_lsn.next();
  if (frame.type == FrameType::kWrite && frame.lsn != expected) {
    return Error(ErrorCode::kCorruption, "LSN ", frame.lsn, " where ", expected, " is due");
  }
  if (frame.type == FrameType::kGroup &&
      (frame.group.first_lsn != expected || frame.group.offset != position_.offset)) {
    return Error(ErrorCode::kCorruption, "a group that begins with LSN ", frame.group.first_lsn,
                 " at ", frame.group.offset, " where LSN ", expected, " is due");
  }
  if (frame.type != FrameType::kGroup && position_.offset == kSegmentHeaderBytes) {
    return Error(ErrorCode::kCorruption, "a segment that does not begin with a group");
  }
  return Status::OK();
}

std::optional<int64_t> SegmentReader::LaterGroup() const {
  const auto size = static_cast<int64_t>(span_.size());
  for (int64_t at = position_.offset + kFrameHeaderBytes; at < size; at += kFrameHeaderBytes) {
    if (IsGroupAnchored(span_, at, header_.crc)) return at;
  }
  return std::nullopt;
}

void SegmentReader::ResumeBehind(int64_t offset) {
  const std::byte* at = span_.data() + offset;
  const Lsn first_lsn{LoadLittle<int64_t>(at + frame_field::kLsn)};
  sealed_ = (LoadLittle<uint8_t>(at + frame_field::kFlags) & 1) != 0;
  Seek({.segment = header_.number,
        .offset = offset + kFrameHeaderBytes,
        .last_lsn = first_lsn.previous(),
        .crc = LoadLittle<uint32_t>(at + frame_field::kCrc)});
}

void SegmentReader::Seek(const ChainPoint& place) {
  position_ = place;
  group_start_ = place;
}

}  // namespace arka::wal

#include "arka/wal/record.h"

#include <algorithm>

#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"

namespace arka::wal {

namespace f = frame_field;

namespace {

int64_t SizeOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? 0 : buffer->size();
}

// Unknown types and inconsistent lengths under a good CRC were written so: by a later version, or
// by a bug. Either way they are not a torn tail.
Status CheckContent(const std::byte* at, int64_t length) {
  const auto type = static_cast<FrameType>(LoadLittle<uint8_t>(at + f::kType));
  const FrameLayout layout(LoadLittle<uint16_t>(at + f::kProducerBytes),
                           LoadLittle<uint32_t>(at + f::kHeaderBytes),
                           LoadLittle<uint32_t>(at + f::kBodyBytes));
  const bool known = type == FrameType::kDefinition || type == FrameType::kWrite ||
                     (type == FrameType::kGroup && length == kFrameHeaderBytes);
  if (!known || layout.total != length) {
    return Error(ErrorCode::kCorruption, "a frame of type ", static_cast<int>(type), " and length ",
                 length, " that format version 1 does not have");
  }
  return Status::OK();
}

}  // namespace

int64_t WriteFrameBytes(const WriteRecord& record) {
  return FrameLayout(static_cast<int64_t>(record.producer.size()), SizeOf(record.header),
                     SizeOf(record.body))
      .total;
}

Status CheckLimits(const WriteRecord& record) {
  const auto producer_bytes = static_cast<int64_t>(record.producer.size());
  const int64_t frame_bytes = WriteFrameBytes(record);
  if (producer_bytes <= kMaxProducerBytes && frame_bytes < kMaxFrameBytes) return Status::OK();
  return Error(ErrorCode::kTooLarge, "wal: a record of ", frame_bytes, " bytes, its producer of ",
               producer_bytes, "; at most ", kMaxFrameBytes, " and ", kMaxProducerBytes);
}

int64_t DefinitionFrameBytes(const Definition& definition) {
  return FrameLayout(0, 0, SizeOf(definition.bytes)).total;
}

int64_t PeekFrameLength(ByteSpan bytes, int64_t offset) {
  if (static_cast<int64_t>(bytes.size()) - offset < kFrameHeaderBytes) return 0;
  const int64_t length = LoadLittle<uint32_t>(bytes.data() + offset + f::kLength);
  return length >= kFrameHeaderBytes && length % kFrameHeaderBytes == 0 ? length : 0;
}

Result<std::optional<Frame>> ParseFrame(ByteSpan bytes, int64_t offset, uint32_t crc) {
  const int64_t length = PeekFrameLength(bytes, offset);
  if (length == 0 || length > static_cast<int64_t>(bytes.size()) - offset) return std::nullopt;
  const std::byte* at = bytes.data() + offset;
  Frame frame;
  frame.crc = LoadLittle<uint32_t>(at + f::kCrc);
  const ByteSpan checked(at + f::kLength, static_cast<size_t>(length - f::kLength));
  if (frame.crc != ExtendCrc32c(crc, checked)) return std::nullopt;
  ARROW_RETURN_NOT_OK(CheckContent(at, length));

  frame.type = static_cast<FrameType>(LoadLittle<uint8_t>(at + f::kType));
  frame.offset = offset;
  frame.length = length;
  if (frame.type == FrameType::kGroup) {
    frame.group = {.first_lsn = Lsn{LoadLittle<int64_t>(at + f::kLsn)},
                   .last_lsn = Lsn{LoadLittle<int64_t>(at + f::kSeq)},
                   .offset = LoadLittle<int64_t>(at + f::kTimestamp),
                   .writes = LoadLittle<uint32_t>(at + f::kDefinition),
                   .seals = (LoadLittle<uint8_t>(at + f::kFlags) & 1) != 0};
    return frame;
  }
  const auto producer_bytes = LoadLittle<uint16_t>(at + f::kProducerBytes);
  const auto header_bytes = LoadLittle<uint32_t>(at + f::kHeaderBytes);
  const auto body_bytes = LoadLittle<uint32_t>(at + f::kBodyBytes);
  frame.definition = {LoadLittle<uint32_t>(at + f::kDefinition)};
  frame.lsn = Lsn{LoadLittle<int64_t>(at + f::kLsn)};
  frame.seq = LoadLittle<int64_t>(at + f::kSeq);
  frame.epoch = LoadLittle<int64_t>(at + f::kEpoch);
  frame.timestamp_us = LoadLittle<int64_t>(at + f::kTimestamp);
  frame.producer = ByteSpan(at + kFrameHeaderBytes, producer_bytes);
  frame.header = ByteSpan(at + kFrameHeaderBytes + producer_bytes, header_bytes);
  frame.body = ByteSpan(at + FrameLayout(producer_bytes, header_bytes, 0).body_offset, body_bytes);
  return frame;
}

uint32_t GroupAnchor(uint32_t segment_crc, const std::byte* frame) {
  return ExtendCrc32c(segment_crc, ByteSpan(frame + f::kLength, f::kAnchor - f::kLength));
}

bool IsGroupAnchored(ByteSpan bytes, int64_t offset, uint32_t segment_crc) {
  if (static_cast<int64_t>(bytes.size()) - offset < kFrameHeaderBytes) return false;
  const std::byte* at = bytes.data() + offset;
  return LoadLittle<uint8_t>(at + f::kType) == static_cast<uint8_t>(FrameType::kGroup) &&
         LoadLittle<uint32_t>(at + f::kLength) == kFrameHeaderBytes &&
         LoadLittle<int64_t>(at + f::kTimestamp) == offset &&
         LoadLittle<uint32_t>(at + f::kAnchor) == GroupAnchor(segment_crc, at);
}

}  // namespace arka::wal

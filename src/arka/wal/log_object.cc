#include "arka/wal/log_object.h"

#include <cstring>

#include <arrow/buffer.h>

#include "arka/base/check.h"
#include "arka/wal/byte_order.h"
#include "arka/wal/crc32c.h"
#include "arka/wal/definition_table.h"
#include "arka/wal/frame_buffer.h"
#include "arka/wal/segment_reader.h"

namespace arka::wal {

namespace {

constexpr char kMagic[8] = {'A', 'R', 'K', 'A', '-', 'O', 'B', 'J'};

enum Field : int64_t {
  kVersion = 8,    // u32
  kCrc = 12,       // u32
  kFirstLsn = 16,  // i64, as are the next seven
  kLastLsn = 24,
  kEpoch = 32,
  kSegment = 40,
  kOffset = 48,
  kPreviousLsn = 56,
  kDefinitionBytes = 64,
  kRunBytes = 72,
  kStartCrc = 80,   // u32
  kEndCrc = 84,     // u32
  kNodeBytes = 88,  // u16
  kNode = 96,
};

uint32_t HeaderCrc(const std::byte* at) {
  const uint32_t crc = Crc32c(ByteSpan(at, kCrc));
  return ExtendCrc32c(crc, ByteSpan(at + kFirstLsn, kObjectHeaderBytes - kFirstLsn));
}

void EncodeHeader(ObjectHeader& header, std::byte* at) {
  std::memset(at, 0, kObjectHeaderBytes);
  std::memcpy(at, kMagic, sizeof(kMagic));
  StoreLittle(at + kVersion, kFormatVersion);
  StoreLittle(at + kFirstLsn, header.first_lsn.value);
  StoreLittle(at + kLastLsn, header.last_lsn.value);
  StoreLittle(at + kEpoch, header.epoch);
  StoreLittle(at + kSegment, header.start.segment);
  StoreLittle(at + kOffset, header.start.offset);
  StoreLittle(at + kPreviousLsn, header.start.last_lsn.value);
  StoreLittle(at + kDefinitionBytes, header.definition_bytes);
  StoreLittle(at + kRunBytes, header.run_bytes);
  StoreLittle(at + kStartCrc, header.start.crc);
  StoreLittle(at + kEndCrc, header.end_crc);
  StoreLittle(at + kNodeBytes, static_cast<uint16_t>(header.node.size()));
  std::memcpy(at + kNode, header.node.data(), header.node.size());
  header.crc = HeaderCrc(at);
  StoreLittle(at + kCrc, header.crc);
}

/// Reads one object that lies in one buffer.
class ObjectReader {
 public:
  ObjectReader(std::shared_ptr<arrow::Buffer> object, ReplayVisitor& visitor)
      : object_(std::move(object)), bytes_(SpanOf(*object_)), visitor_(visitor) {}

  Status Read() {
    ARROW_ASSIGN_OR_RAISE(header_, DecodeObjectHeader(bytes_));
    const auto size = static_cast<int64_t>(bytes_.size());
    const int64_t run_at = kObjectHeaderBytes + header_.definition_bytes;
    if (run_at + header_.run_bytes != size) {
      return Error(ErrorCode::kCorruption, "wal: an object of ", size, " bytes, not ",
                   run_at + header_.run_bytes);
    }
    last_lsn_ = header_.first_lsn.previous();
    ARROW_RETURN_NOT_OK(ReadFrames(kObjectHeaderBytes, run_at, header_.crc).status());
    ARROW_ASSIGN_OR_RAISE(const uint32_t crc, ReadFrames(run_at, size, header_.start.crc));
    if (crc == header_.end_crc && last_lsn_ == header_.last_lsn) return Status::OK();
    return Error(ErrorCode::kCorruption, "wal: an object that ends with LSN ", last_lsn_, ", not ",
                 header_.last_lsn, ", or whose last CRC differs");
  }

 private:
  // Answers the last frame's CRC.
  Result<uint32_t> ReadFrames(int64_t begin, int64_t end, uint32_t crc) {
    const ByteSpan bytes = bytes_.first(static_cast<size_t>(end));
    for (int64_t at = begin; at < end;) {
      ARROW_ASSIGN_OR_RAISE(const std::optional<Frame> frame, ParseFrame(bytes, at, crc));
      const Status status =
          frame ? Show(*frame) : Error(ErrorCode::kCorruption, "a damaged record");
      if (!status.ok()) return WithContext(status, "wal: object: offset " + std::to_string(at));
      at += frame->length;
      crc = frame->crc;
    }
    return crc;
  }

  Status Show(const Frame& frame) {
    if (frame.type == FrameType::kDefinition) {
      ARROW_ASSIGN_OR_RAISE(const std::optional<Definition> added,
                            definitions_.Add(DefinitionOf(frame, object_)));
      return added ? visitor_.OnDefinition(*added) : Status::OK();
    }
    if (frame.type == FrameType::kGroup) return Status::OK();
    if (frame.lsn != last_lsn_.next() || !definitions_.Find(frame.definition)) {
      return Error(ErrorCode::kCorruption, "LSN ", frame.lsn, " after ", last_lsn_,
                   ", or a definition that is missing");
    }
    last_lsn_ = frame.lsn;
    return visitor_.OnWrite(RecordOf(frame, object_));
  }

  const std::shared_ptr<arrow::Buffer> object_;
  const ByteSpan bytes_;
  ReplayVisitor& visitor_;
  ObjectHeader header_;
  DefinitionTable definitions_;
  Lsn last_lsn_;
};

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> EncodeObjectHead(
    ObjectHeader& header, const std::vector<Definition>& definitions) {
  ARKA_CHECK(header.node.size() <= kMaxNodeBytes);
  header.definition_bytes = 0;
  for (const Definition& definition : definitions) {
    header.definition_bytes += DefinitionFrameBytes(definition);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> head,
                        arrow::AllocateBuffer(kObjectHeaderBytes + header.definition_bytes));
  auto* at = reinterpret_cast<std::byte*>(head->mutable_data());
  EncodeHeader(header, at);
  at += kObjectHeaderBytes;
  FrameBuffer frames;
  frames.Reset(header.crc);
  for (const Definition& definition : definitions) frames.AddDefinition(definition);
  for (const ByteSpan part : frames.parts()) {
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return head;
}

Result<ObjectHeader> DecodeObjectHeader(ByteSpan bytes) {
  if (bytes.size() < kObjectHeaderBytes || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) {
    return Error(ErrorCode::kCorruption, "wal: ", bytes.size(), " bytes that are no log object");
  }
  const std::byte* at = bytes.data();
  ObjectHeader header;
  header.crc = LoadLittle<uint32_t>(at + kCrc);
  const auto node_bytes = LoadLittle<uint16_t>(at + kNodeBytes);
  if (header.crc != HeaderCrc(at) || node_bytes > kMaxNodeBytes) {
    return Error(ErrorCode::kCorruption, "wal: an object whose header fails its CRC");
  }
  if (const auto version = LoadLittle<uint32_t>(at + kVersion); version != kFormatVersion) {
    return UnknownVersion(version, "wal: an object");
  }
  header.first_lsn = Lsn{LoadLittle<int64_t>(at + kFirstLsn)};
  header.last_lsn = Lsn{LoadLittle<int64_t>(at + kLastLsn)};
  header.epoch = LoadLittle<int64_t>(at + kEpoch);
  header.start = {.segment = LoadLittle<int64_t>(at + kSegment),
                  .offset = LoadLittle<int64_t>(at + kOffset),
                  .last_lsn = Lsn{LoadLittle<int64_t>(at + kPreviousLsn)},
                  .crc = LoadLittle<uint32_t>(at + kStartCrc)};
  header.definition_bytes = LoadLittle<int64_t>(at + kDefinitionBytes);
  header.run_bytes = LoadLittle<int64_t>(at + kRunBytes);
  header.end_crc = LoadLittle<uint32_t>(at + kEndCrc);
  header.node.assign(reinterpret_cast<const char*>(at + kNode), node_bytes);
  if (!IsPlausible(header.first_lsn) || !IsPlausible(header.last_lsn)) {
    return Error(ErrorCode::kCorruption, "wal: an object of LSN ", header.first_lsn, " to ",
                 header.last_lsn);
  }
  const auto size = static_cast<int64_t>(bytes.size());
  if (header.definition_bytes < 0 || header.definition_bytes > size || header.run_bytes < 0 ||
      header.run_bytes > size) {
    return Error(ErrorCode::kCorruption, "wal: an object of ", size, " bytes that claims ",
                 header.definition_bytes, " of definitions and ", header.run_bytes, " of records");
  }
  return header;
}

Status ReadLogObject(std::span<const std::shared_ptr<arrow::Buffer>> parts,
                     ReplayVisitor& visitor) {
  if (parts.size() == 1) return ObjectReader(parts[0], visitor).Read();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> whole,
                        arrow::ConcatenateBuffers({parts.begin(), parts.end()}));
  return ObjectReader(std::move(whole), visitor).Read();
}

}  // namespace arka::wal

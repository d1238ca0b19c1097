#include "arka/protocol/flight_data.h"

#include <cstdint>
#include <string>

namespace arka::protocol {
namespace {

enum Field : uint64_t { kDescriptor = 1, kDataHeader = 2, kAppMetadata = 3, kDataBody = 1000 };
enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

// Reads protobuf's wire format out of one buffer,
// https://protobuf.dev/programming-guides/encoding/.
class WireReader {
 public:
  explicit WireReader(const arrow::Buffer& buffer)
      : begin_(buffer.data()), at_(begin_), end_(begin_ + buffer.size()) {}

  bool done() const { return at_ == end_; }
  int64_t offset() const { return at_ - begin_; }

  bool ReadVarint(uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const uint8_t byte = *at_++;
      *value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  }

  bool Skip(uint64_t bytes) {
    if (bytes > static_cast<uint64_t>(end_ - at_)) return false;
    at_ += bytes;
    return true;
  }

 private:
  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
};

void AppendVarint(std::string* out, uint64_t value) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Body buffers below this size are copied into one piece rather than sent as parts of their own.
constexpr int64_t kGatherBelowBytes = 16 << 10;

}  // namespace

Result<FlightData> ParseFlightData(const std::shared_ptr<arrow::Buffer>& message) {
  FlightData data;
  WireReader reader(*message);
  const auto malformed = [&](std::string_view what) {
    return Error(ErrorCode::kInvalidRequest, "FlightData: ", what, " at byte ", reader.offset(),
                 " of ", message->size());
  };
  while (!reader.done()) {
    uint64_t tag = 0;
    if (!reader.ReadVarint(&tag)) return malformed("malformed field tag");
    uint64_t length = 0;
    switch (tag & 7) {
      case kVarint:
        if (!reader.ReadVarint(&length)) return malformed("malformed varint");
        continue;
      case kFixed64:
        if (!reader.Skip(8)) return malformed("truncated field");
        continue;
      case kFixed32:
        if (!reader.Skip(4)) return malformed("truncated field");
        continue;
      case kLengthDelimited:
        break;
      default:
        return malformed("unknown wire type");
    }
    if (!reader.ReadVarint(&length)) return malformed("malformed length");
    const int64_t offset = reader.offset();
    if (!reader.Skip(length)) return malformed("a field longer than the message");
    std::shared_ptr<arrow::Buffer>* slot = nullptr;
    switch (tag >> 3) {
      case kDescriptor:
        slot = &data.descriptor;
        break;
      case kDataHeader:
        slot = &data.data_header;
        break;
      case kAppMetadata:
        slot = &data.app_metadata;
        break;
      case kDataBody:
        slot = &data.data_body;
        break;
      default:
        break;
    }
    if (slot != nullptr) *slot = arrow::SliceBuffer(message, offset, static_cast<int64_t>(length));
  }
  return data;
}

std::vector<std::shared_ptr<arrow::Buffer>> EncodeFlightData(
    const arrow::ipc::IpcPayload& payload) {
  std::vector<std::shared_ptr<arrow::Buffer>> parts;
  std::string piece;
  const auto flush = [&] {
    if (!piece.empty()) parts.push_back(arrow::Buffer::FromString(std::move(piece)));
    piece.clear();
  };
  piece.push_back(static_cast<char>(kDataHeader << 3 | kLengthDelimited));
  AppendVarint(&piece, payload.metadata->size());
  piece.append(reinterpret_cast<const char*>(payload.metadata->data()), payload.metadata->size());
  if (payload.type != arrow::ipc::MessageType::SCHEMA) {
    AppendVarint(&piece, kDataBody << 3 | kLengthDelimited);
    AppendVarint(&piece, payload.body_length);
    for (const auto& buffer : payload.body_buffers) {
      if (buffer == nullptr || buffer->size() == 0) continue;
      if (buffer->size() < kGatherBelowBytes) {
        piece.append(reinterpret_cast<const char*>(buffer->data()), buffer->size());
      } else {
        flush();
        parts.push_back(buffer);
      }
      piece.append((8 - buffer->size() % 8) % 8, '\0');  // IPC bodies are padded to 8 bytes
    }
  }
  flush();
  return parts;
}

}  // namespace arka::protocol

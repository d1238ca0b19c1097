// A stream of IPC messages whose bytes are anything: an error or a checked write, never a crash.
//
// The input is messages one after the other: the lengths of metadata and body, 4 bytes each
// (little-endian), then both. The first is the schema's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "arka/base/check.h"
#include "arka/ingest/stream_decoder.h"

namespace arka::ingest {
namespace {

class Messages {
 public:
  Messages(const uint8_t* data, size_t size) : at_(data), left_(size) {}

  bool Next(std::shared_ptr<arrow::Buffer>* header, std::shared_ptr<arrow::Buffer>* body) {
    uint32_t header_bytes = 0, body_bytes = 0;
    if (left_ < 8) return false;
    std::memcpy(&header_bytes, at_, 4);
    std::memcpy(&body_bytes, at_ + 4, 4);
    Skip(8);
    *header = Take(header_bytes);
    *body = Take(body_bytes);
    return true;
  }

 private:
  void Skip(size_t bytes) {
    at_ += bytes;
    left_ -= bytes;
  }
  // A copy, so that a read past its end is seen.
  std::shared_ptr<arrow::Buffer> Take(size_t bytes) {
    bytes = std::min(bytes, left_);
    std::shared_ptr<arrow::Buffer> taken =
        arrow::AllocateBuffer(static_cast<int64_t>(bytes)).ValueOrDie();
    std::memcpy(taken->mutable_data(), at_, bytes);
    Skip(bytes);
    return taken;
  }

  const uint8_t* at_;
  size_t left_;
};

void Decode(Messages messages) {
  DecodeLimits limits;
  limits.max_unpacked_bytes = 1 << 20;
  limits.max_rows = 1 << 12;
  limits.max_dictionary_bytes = 1 << 20;
  std::shared_ptr<arrow::Buffer> header, body;
  if (!messages.Next(&header, &body)) return;
  const auto schema = DecodeSchema(header);
  if (!schema.ok()) return;
  auto table_schema = lake::TableSchema::FromArrow(**schema);
  if (!table_schema.ok()) return;
  const auto decoder = StreamDecoder::Make(header, *table_schema, limits);
  if (!decoder.ok()) return;
  while (messages.Next(&header, &body)) {
    const auto write = (*decoder)->Decode(header, body);
    if (!write.ok()) return;
    if (!write->has_value()) continue;
    // What passed the door is whole: the log and the data files rely on it.
    ARKA_CHECK((*write)->stored->ValidateFull().ok());
    ARKA_CHECK((*write)->header != nullptr && (*write)->body != nullptr);
  }
}

}  // namespace
}  // namespace arka::ingest

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  arka::ingest::Decode({data, size});
  return 0;
}

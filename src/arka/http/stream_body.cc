#include "arka/http/stream_body.h"

#include <string>
#include <string_view>
#include <utility>

#include <arrow/io/memory.h>
#include <arrow/ipc/message.h>

namespace arka::http {
namespace {

constexpr std::string_view kFileMagic = "ARROW1";

Result<std::shared_ptr<arrow::Buffer>> Copy(const std::shared_ptr<arrow::Buffer>& buffer) {
  if (buffer == nullptr) return nullptr;
  return buffer->CopySlice(0, buffer->size());
}

}  // namespace

Result<StreamBody> CutStream(const std::shared_ptr<arrow::Buffer>& body) {
  if (body == nullptr || body->size() == 0) {
    return Error(ErrorCode::kInvalidRequest, "the body is empty; expected an Arrow IPC stream");
  }
  if (std::string_view(*body).starts_with(kFileMagic)) {
    return Error(ErrorCode::kInvalidRequest,
                 "the body is in Arrow's file format; expected the stream format, as "
                 "pyarrow.ipc.new_stream writes it");
  }
  StreamBody stream;
  arrow::io::BufferReader reader(body);
  while (true) {
    auto message = arrow::ipc::ReadMessage(&reader);
    if (!message.ok()) {
      return Error(ErrorCode::kInvalidRequest, "the body is no whole Arrow IPC stream: message ",
                   stream.messages.size() + (stream.schema == nullptr ? 0 : 1), ": ",
                   message.status().message());
    }
    if (*message == nullptr) break;
    if (stream.schema == nullptr) {
      stream.schema_header = (*message)->metadata();
      ARROW_ASSIGN_OR_RAISE(stream.schema, ingest::DecodeSchema(stream.schema_header));
      continue;
    }
    if (stream.messages.size() == kMaxBatches) {
      return Error(ErrorCode::kTooLarge, "the body has more than ", kMaxBatches,
                   " batches; put more rows into each, or send several bodies");
    }
    stream.messages.push_back({(*message)->metadata(), (*message)->body()});
  }
  if (stream.schema == nullptr) {
    return Error(ErrorCode::kInvalidRequest, "the body is an Arrow IPC stream without a schema");
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t read, reader.Tell());
  if (read != body->size()) {
    return Error(ErrorCode::kInvalidRequest, "the Arrow IPC stream ends at byte ", read, " of ",
                 body->size(), "; one body is one stream");
  }
  return stream;
}

Result<std::vector<ingest::DecodedWrite>> DecodeStream(
    const StreamBody& stream, std::shared_ptr<const lake::TableSchema> schema,
    const ingest::DecodeLimits& limits) {
  ARROW_ASSIGN_OR_RAISE(const auto decoder, ingest::StreamDecoder::Make(stream.schema_header,
                                                                        std::move(schema), limits));
  std::vector<ingest::DecodedWrite> writes;
  int64_t bytes = 0;
  for (const IpcMessage& message : stream.messages) {
    const std::string where = "batch " + std::to_string(writes.size()) + " of the body";
    ARROW_ASSIGN_OR_RAISE(auto header, Copy(message.header));
    ARROW_ASSIGN_OR_RAISE(auto message_body, Copy(message.body));
    auto write = decoder->Decode(header, std::move(message_body));
    if (!write.ok()) return WithContext(write.status(), where);
    if (!write->has_value()) continue;
    bytes += (*write)->size_bytes();
    if (bytes > limits.max_unpacked_bytes) {
      return Error(ErrorCode::kTooLarge, where, ": the body unpacks to more than ",
                   limits.max_unpacked_bytes, " bytes; send it in parts");
    }
    writes.push_back(std::move(**write));
  }
  return writes;
}

}  // namespace arka::http

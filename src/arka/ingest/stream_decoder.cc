#include "arka/ingest/stream_decoder.h"

#include <algorithm>
#include <utility>

#include <arrow/extension_type.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "arka/lake/chunk_merger.h"

namespace arka::ingest {
namespace {

using MessageQueue = std::deque<std::unique_ptr<arrow::ipc::Message>>;

// What a write costs beyond its bytes: the batch's and its arrays' objects.
constexpr int64_t kBatchOverheadBytes = 512;
constexpr int64_t kColumnOverheadBytes = 256;

// Hands queued messages to Arrow's stream reader; an empty queue reads as the end of the stream.
class QueueReader : public arrow::ipc::MessageReader {
 public:
  explicit QueueReader(std::shared_ptr<MessageQueue> queue) : queue_(std::move(queue)) {}
  Result<std::unique_ptr<arrow::ipc::Message>> ReadNextMessage() override {
    if (queue_->empty()) return nullptr;
    auto message = std::move(queue_->front());
    queue_->pop_front();
    return message;
  }

 private:
  std::shared_ptr<MessageQueue> queue_;
};

const arrow::ipc::IpcReadOptions& ReadOptions() {
  static const auto options = [] {
    auto made = arrow::ipc::IpcReadOptions::Defaults();
    made.use_threads = false;
    return made;
  }();
  return options;
}

// Arrow's own failures on a client's bytes are the client's, and carry no code yet.
Status AsInvalid(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return Error(status.IsOutOfMemory() ? ErrorCode::kTooLarge : ErrorCode::kInvalidRequest, context,
               ": ", status.message());
}

template <typename T>
Result<T> AsInvalid(Result<T> result, std::string_view context) {
  if (result.ok()) return result;
  return AsInvalid(result.status(), context);
}

const std::shared_ptr<arrow::Buffer>& EmptyBody() {
  static const auto empty = std::make_shared<arrow::Buffer>(nullptr, 0);
  return empty;
}

Status EncodeForLog(const arrow::RecordBatch& batch, DecodedWrite* write) {
  arrow::ipc::IpcPayload payload;
  ARROW_RETURN_NOT_OK(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload));
  ARROW_ASSIGN_OR_RAISE(auto body, arrow::AllocateBuffer(payload.body_length));
  uint8_t* out = body->mutable_data();
  for (const auto& buffer : payload.body_buffers) {
    const int64_t size = buffer == nullptr ? 0 : buffer->size();
    const int64_t padding = (8 - size % 8) % 8;
    if (size > 0) out = std::copy_n(buffer->data(), size, out);
    out = std::fill_n(out, padding, uint8_t{0});
  }
  write->header = std::move(payload.metadata);
  write->body = std::move(body);
  return Status::OK();
}

bool HasDictionaries(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) return true;
  if (type.id() == arrow::Type::EXTENSION) {
    return HasDictionaries(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HasDictionaries(*field->type()); });
}

}  // namespace

int64_t DecodedWrite::size_bytes() const {
  return header->size() + body->size() + copied_bytes + kBatchOverheadBytes +
         kColumnOverheadBytes * stored->num_columns();
}

Result<std::shared_ptr<arrow::Schema>> DecodeSchema(const std::shared_ptr<arrow::Buffer>& header) {
  ARROW_ASSIGN_OR_RAISE(auto message,
                        AsInvalid(arrow::ipc::Message::Open(header, nullptr), "schema message"));
  if (message->type() != arrow::ipc::MessageType::SCHEMA) {
    return Error(ErrorCode::kInvalidRequest,
                 "the stream's first message must be its schema, but it is a ",
                 arrow::ipc::FormatMessageType(message->type()));
  }
  arrow::ipc::DictionaryMemo memo;
  return AsInvalid(arrow::ipc::ReadSchema(*message, &memo), "schema message");
}

Result<std::unique_ptr<StreamDecoder>> StreamDecoder::Make(
    const std::shared_ptr<arrow::Buffer>& schema_header,
    std::shared_ptr<const lake::TableSchema> schema, DecodeLimits limits) {
  std::unique_ptr<StreamDecoder> decoder(new StreamDecoder(std::move(schema), limits));
  const auto& fields = decoder->schema_->stream_schema()->fields();
  if (std::any_of(fields.begin(), fields.end(),
                  [](const auto& field) { return HasDictionaries(*field->type()); })) {
    decoder->queued_ = std::make_shared<MessageQueue>();
    ARROW_ASSIGN_OR_RAISE(auto message, arrow::ipc::Message::Open(schema_header, nullptr));
    decoder->queued_->push_back(std::move(message));
    ARROW_ASSIGN_OR_RAISE(decoder->reader_,
                          arrow::ipc::RecordBatchStreamReader::Open(
                              std::make_unique<QueueReader>(decoder->queued_), ReadOptions()));
  }
  return decoder;
}

Result<IpcMessageView> StreamDecoder::CheckLimits(const arrow::Buffer& header,
                                                  const arrow::Buffer& body) {
  ARROW_ASSIGN_OR_RAISE(const IpcMessageView view, ViewIpcMessage(header, body));
  if (view.kind == IpcKind::kSchema) {
    return Error(ErrorCode::kInvalidRequest,
                 "a second schema message; a stream has one schema, open another stream");
  }
  const bool is_dictionary = view.kind == IpcKind::kDictionaryBatch;
  if (is_dictionary && reader_ == nullptr) {
    return Error(ErrorCode::kInvalidRequest,
                 "a dictionary batch, but the stream's schema has no dictionary columns");
  }
  if (view.unpacked_bytes > limits_.max_unpacked_bytes) {
    return Error(ErrorCode::kTooLarge, "the batch unpacks to ", view.unpacked_bytes,
                 " bytes; at most ", limits_.max_unpacked_bytes,
                 " are taken, send smaller batches");
  }
  if (view.row_count > limits_.max_rows) {
    return Error(ErrorCode::kTooLarge, "the batch has ", view.row_count, " rows; at most ",
                 limits_.max_rows, " are taken, send smaller batches");
  }
  if (is_dictionary) {
    ARROW_RETURN_NOT_OK(CheckDictionaryLimits(view, header.size() + body.size()));
  }
  return view;
}

Status StreamDecoder::CheckDictionaryLimits(const IpcMessageView& view, int64_t message_bytes) {
  int64_t& bytes = dictionary_bytes_[view.dictionary_id];
  bytes = view.unpacked_bytes + (view.is_delta ? bytes : 0);
  int64_t kept = 0;
  for (const auto& [id, size] : dictionary_bytes_) kept += size;
  // Messages are read with the next batch, and until then kept even where one replaces another.
  queued_dictionary_bytes_ += message_bytes + kBatchOverheadBytes;
  kept = std::max(kept, queued_dictionary_bytes_);
  if (kept <= limits_.max_dictionary_bytes) return Status::OK();
  return Error(ErrorCode::kTooLarge, "the stream's dictionaries have grown to ", kept,
               " bytes; at most ", limits_.max_dictionary_bytes,
               " are kept, send the column undecoded or open another stream");
}

Result<std::shared_ptr<arrow::RecordBatch>> StreamDecoder::ReadWithDictionaries(
    std::unique_ptr<arrow::ipc::Message> message) {
  queued_->push_back(std::move(message));
  std::shared_ptr<arrow::RecordBatch> batch;
  ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
  queued_dictionary_bytes_ = 0;
  if (batch == nullptr) return Status::Invalid("a batch without the dictionaries it needs");
  return batch;
}

Result<std::optional<DecodedWrite>> StreamDecoder::Decode(
    const std::shared_ptr<arrow::Buffer>& header, std::shared_ptr<arrow::Buffer> body) {
  if (body == nullptr) body = EmptyBody();
  ARROW_ASSIGN_OR_RAISE(auto message,
                        AsInvalid(arrow::ipc::Message::Open(header, body), "IPC message"));
  ARROW_ASSIGN_OR_RAISE(const IpcMessageView view, CheckLimits(*header, *body));
  if (view.kind == IpcKind::kDictionaryBatch) {
    queued_->push_back(std::move(message));
    return std::nullopt;
  }

  const bool plain = reader_ == nullptr;
  ARROW_ASSIGN_OR_RAISE(
      auto batch,
      AsInvalid(plain ? arrow::ipc::ReadRecordBatch(*message, schema_->stream_schema(),
                                                    /*dictionary_memo=*/nullptr, ReadOptions())
                      : ReadWithDictionaries(std::move(message)),
                "record batch"));
  ARROW_RETURN_NOT_OK(AsInvalid(batch->ValidateFull(), "record batch"));

  DecodedWrite write;
  write.schema = schema_.get();
  if (schema_->needs_decoding()) {
    ARROW_ASSIGN_OR_RAISE(batch, schema_->ToLogged(batch, limits_.max_unpacked_bytes));
    ARROW_RETURN_NOT_OK(EncodeForLog(*batch, &write));
  } else {
    write.header = header;
    write.body = std::move(body);
  }
  ARROW_ASSIGN_OR_RAISE(write.stored, schema_->ToStorage(batch));
  if (view.compressed || schema_->needs_decoding() || schema_->needs_conversion()) {
    write.copied_bytes = lake::ReferencedBytes(*write.stored);
  }
  return write;
}

}  // namespace arka::ingest

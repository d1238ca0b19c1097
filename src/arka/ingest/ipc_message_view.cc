#include "arka/ingest/ipc_message_view.h"

#include <cstring>
#include <optional>

namespace arka::ingest {
namespace {

// Field numbers, in the order in which Message.fbs declares them.
constexpr int kMessageHeaderType = 1, kMessageHeader = 2, kMessageBodyLength = 3;
constexpr int kBatchLength = 0, kBatchBuffers = 2, kBatchCompression = 3;
constexpr int kDictionaryId = 0, kDictionaryData = 1, kDictionaryIsDelta = 2;

// One table of a flatbuffer. Every read is bounds-checked; a read outside answers nothing.
class FlatTable {
 public:
  FlatTable(const arrow::Buffer& buffer, int64_t at) : buffer_(&buffer), at_(at) {}

  static std::optional<FlatTable> Root(const arrow::Buffer& buffer) {
    const auto offset = ReadAt<uint32_t>(buffer, 0);
    if (!offset) return std::nullopt;
    return FlatTable(buffer, *offset);
  }

  // Where field number `field` lies; 0: it has its default.
  std::optional<int64_t> Locate(int field) const {
    const auto to_vtable = ReadAt<int32_t>(*buffer_, at_);
    if (!to_vtable) return std::nullopt;
    const int64_t vtable = at_ - *to_vtable;
    const auto vtable_bytes = ReadAt<uint16_t>(*buffer_, vtable);
    if (!vtable_bytes) return std::nullopt;
    const int64_t slot = 4 + 2 * field;
    if (slot + 2 > *vtable_bytes) return 0;
    const auto offset = ReadAt<uint16_t>(*buffer_, vtable + slot);
    if (!offset) return std::nullopt;
    return *offset == 0 ? 0 : at_ + *offset;
  }

  template <typename T>
  std::optional<T> Scalar(int field) const {
    const auto at = Locate(field);
    if (!at) return std::nullopt;
    if (*at == 0) return T{0};
    return ReadAt<T>(*buffer_, *at);
  }

  std::optional<FlatTable> Table(int field) const {
    const auto at = Locate(field);
    if (!at || *at == 0) return std::nullopt;
    const auto offset = ReadAt<uint32_t>(*buffer_, *at);
    if (!offset) return std::nullopt;
    return FlatTable(*buffer_, *at + *offset);
  }

  template <typename T>
  static std::optional<T> ReadAt(const arrow::Buffer& buffer, int64_t at) {
    if (at < 0 || at > buffer.size() - static_cast<int64_t>(sizeof(T))) return std::nullopt;
    T value;
    std::memcpy(&value, buffer.data() + at, sizeof(T));
    return value;
  }

  const arrow::Buffer& buffer() const { return *buffer_; }

 private:
  const arrow::Buffer* buffer_;
  int64_t at_;
};

Status Malformed(std::string_view what) {
  return Error(ErrorCode::kInvalidRequest, "IPC message: ", what);
}

// Checks each buffer of a record batch against the body and adds up what they unpack to.
Status MeasureBuffers(const FlatTable& batch, const arrow::Buffer& body, IpcMessageView* view) {
  const auto field = batch.Locate(kBatchBuffers);
  if (!field) return Malformed("malformed metadata");
  if (*field == 0) return Status::OK();
  const auto to_vector = FlatTable::ReadAt<uint32_t>(batch.buffer(), *field);
  if (!to_vector) return Malformed("malformed metadata");
  const int64_t vector = *field + *to_vector;
  const auto count = FlatTable::ReadAt<uint32_t>(batch.buffer(), vector);
  if (!count) return Malformed("malformed metadata");
  for (int64_t i = 0; i < *count; ++i) {
    const int64_t at = vector + 4 + 16 * i;
    const auto offset = FlatTable::ReadAt<int64_t>(batch.buffer(), at);
    const auto length = FlatTable::ReadAt<int64_t>(batch.buffer(), at + 8);
    if (!offset || !length) return Malformed("malformed metadata");
    if (*offset < 0 || *length < 0 || *offset > body.size() || *length > body.size() - *offset) {
      return Error(ErrorCode::kInvalidRequest, "IPC message: buffer ", i, " claims bytes ", *offset,
                   " to ", *offset, " + ", *length, " of a body of ", body.size());
    }
    int64_t unpacked = *length;
    if (view->compressed && *length >= 8) {
      // A compressed buffer starts with its unpacked length, -1 where it was left as it is.
      unpacked = FlatTable::ReadAt<int64_t>(body, *offset).value_or(0);
      if (unpacked < -1) return Malformed("a compressed buffer of negative length");
      if (unpacked == -1) unpacked = *length - 8;
    }
    if (unpacked > INT64_MAX - view->unpacked_bytes) return Malformed("buffer lengths overflow");
    view->unpacked_bytes += unpacked;
  }
  return Status::OK();
}

}  // namespace

Result<IpcMessageView> ViewIpcMessage(const arrow::Buffer& header, const arrow::Buffer& body) {
  IpcMessageView view;
  const auto message = FlatTable::Root(header);
  if (!message) return Malformed("empty metadata");
  const auto kind = message->Scalar<uint8_t>(kMessageHeaderType);
  const auto body_bytes = message->Scalar<int64_t>(kMessageBodyLength);
  if (!kind || !body_bytes) return Malformed("malformed metadata");
  view.body_bytes = *body_bytes;
  if (*kind < 1 || *kind > 3) {
    return Malformed("expected a schema, dictionary batch or record batch; tensors are not rows");
  }
  view.kind = static_cast<IpcKind>(*kind);
  if (view.kind == IpcKind::kSchema) return view;

  if (view.body_bytes < 0 || view.body_bytes > body.size()) {
    return Error(ErrorCode::kInvalidRequest, "IPC message: the metadata claims a body of ",
                 view.body_bytes, " bytes, but ", body.size(), " arrived");
  }
  auto batch = message->Table(kMessageHeader);
  if (batch && view.kind == IpcKind::kDictionaryBatch) {
    view.dictionary_id = batch->Scalar<int64_t>(kDictionaryId).value_or(0);
    view.is_delta = batch->Scalar<uint8_t>(kDictionaryIsDelta).value_or(0) != 0;
    batch = batch->Table(kDictionaryData);
  }
  if (!batch) return Malformed("a batch without its header");
  const auto rows = batch->Scalar<int64_t>(kBatchLength);
  const auto compression = batch->Locate(kBatchCompression);
  if (!rows || !compression) return Malformed("malformed metadata");
  if (*rows < 0) return Malformed("a batch of negative length");
  view.row_count = *rows;
  view.compressed = *compression != 0;
  ARROW_RETURN_NOT_OK(MeasureBuffers(*batch, body, &view));
  return view;
}

}  // namespace arka::ingest

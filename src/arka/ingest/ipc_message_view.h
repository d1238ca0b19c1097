// The few facts of an Arrow IPC message's metadata that limits are checked by before Arrow decodes
// it: what kind it is, how many rows it claims, and what its buffers unpack to.
//
// Source: Arrow's Message.fbs and the flatbuffers binary format. Call only on metadata that
// flatbuffers' verifier has passed (arrow::ipc::Message::Open does); bounds are checked here all
// the same, so that a lie is an error and never a read outside the buffer.
#pragma once

#include <cstdint>

#include <arrow/buffer.h>

#include "arka/base/error.h"

namespace arka::ingest {

enum class IpcKind : uint8_t { kSchema = 1, kDictionaryBatch = 2, kRecordBatch = 3 };

struct IpcMessageView {
  IpcKind kind = IpcKind::kSchema;
  int64_t body_bytes = 0;  // as the metadata claims
  int64_t row_count = 0;   // of a record or dictionary batch
  bool compressed = false;
  int64_t unpacked_bytes = 0;  // sum of its buffers' sizes once decompressed
  bool is_delta = false;       // of a dictionary batch, as the next
  int64_t dictionary_id = 0;
};

/// kInvalidRequest where the metadata is not that of a schema, dictionary batch or record batch, or
/// where a buffer lies outside `body`.
Result<IpcMessageView> ViewIpcMessage(const arrow::Buffer& header, const arrow::Buffer& body);

}  // namespace arka::ingest

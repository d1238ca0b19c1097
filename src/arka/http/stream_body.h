// The messages of an Arrow IPC stream that came as one body. Pure functions; any thread.
#pragma once

#include <memory>
#include <vector>

#include <arrow/buffer.h>

#include "arka/base/error.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/lake/table_schema.h"

namespace arka::http {

inline constexpr size_t kMaxBatches = 10'000;  // of one body: each is a write

struct IpcMessage {
  std::shared_ptr<arrow::Buffer> header;
  std::shared_ptr<arrow::Buffer> body;
};

struct StreamBody {
  std::shared_ptr<arrow::Buffer> schema_header;
  std::shared_ptr<arrow::Schema> schema;
  std::vector<IpcMessage> messages;  // slices of the body
};

/// Cuts a body into its messages. kInvalidRequest, saying where, for what is not a whole stream;
/// kTooLarge for more than kMaxBatches.
Result<StreamBody> CutStream(const std::shared_ptr<arrow::Buffer>& body);

/// Every batch as a checked write that holds no part of the body. kInvalidRequest (kTooLarge past a
/// limit, also where all together unpack to more than one batch may), naming the batch.
Result<std::vector<ingest::DecodedWrite>> DecodeStream(
    const StreamBody& stream, std::shared_ptr<const lake::TableSchema> schema,
    const ingest::DecodeLimits& limits);

}  // namespace arka::http

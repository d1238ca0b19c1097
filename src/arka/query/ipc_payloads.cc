#include "arka/query/ipc_payloads.h"

#include <algorithm>

#include <arrow/ipc/dictionary.h>

#include "arka/lake/chunk_merger.h"

namespace arka::query {
namespace {

constexpr int64_t kMessageBytes = 2 << 20;

}  // namespace

Result<arrow::ipc::IpcPayload> SchemaPayloadOf(const arrow::Schema& schema) {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(schema);
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(),
                                                   mapper, &payload));
  return payload;
}

Result<std::vector<arrow::ipc::IpcPayload>> BatchPayloadsOf(const arrow::RecordBatch& batch) {
  const int64_t bytes = std::max<int64_t>(lake::ReferencedBytes(batch), 1);
  const int64_t rows = std::max<int64_t>(batch.num_rows() * kMessageBytes / bytes, 1);
  std::vector<arrow::ipc::IpcPayload> payloads;
  for (int64_t first = 0; first < batch.num_rows(); first += rows) {
    ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(*batch.Slice(first, rows),
                                                          arrow::ipc::IpcWriteOptions::Defaults(),
                                                          &payloads.emplace_back()));
  }
  return payloads;
}

}  // namespace arka::query

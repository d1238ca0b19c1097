// Schemas and rows as the IPC messages that go to clients.
#pragma once

#include <vector>

#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include "arka/base/error.h"

namespace arka::query {

Result<arrow::ipc::IpcPayload> SchemaPayloadOf(const arrow::Schema& schema);

/// Slices of about 2 MB, none empty: clients in Go and Rust take messages of at most 4 MB unless
/// they are told otherwise.
Result<std::vector<arrow::ipc::IpcPayload>> BatchPayloadsOf(const arrow::RecordBatch& batch);

}  // namespace arka::query

#include "arka/flight/do_get_call.h"

#include <algorithm>
#include <utility>

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "arka/flight/flight.pb.h"
#include "arka/lake/chunk_merger.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/server_status.h"

namespace arka::flight {
namespace {

using Message = std::vector<std::shared_ptr<arrow::Buffer>>;

constexpr size_t kMaxQueuedBytes = 8 << 20;
/// Clients in Go and Rust take messages of at most 4 MB unless they are told otherwise.
constexpr int64_t kMessageBytes = 2 << 20;

Result<Message> SchemaMessage(const arrow::Schema& schema) {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(schema);
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(),
                                                   mapper, &payload));
  return protocol::EncodeFlightData(payload);
}

// Slices of about kMessageBytes, none empty.
Result<std::vector<Message>> BatchMessages(const arrow::RecordBatch& batch) {
  const int64_t bytes = std::max<int64_t>(lake::ReferencedBytes(batch), 1);
  const int64_t rows = std::max<int64_t>(batch.num_rows() * kMessageBytes / bytes, 1);
  std::vector<Message> messages;
  for (int64_t first = 0; first < batch.num_rows(); first += rows) {
    arrow::ipc::IpcPayload payload;
    ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(
        *batch.Slice(first, rows), arrow::ipc::IpcWriteOptions::Defaults(), &payload));
    messages.push_back(protocol::EncodeFlightData(payload));
  }
  return messages;
}

}  // namespace

Status DoGetCall::Begin(const arrow::Buffer& request) {
  ::arrow::flight::protocol::Ticket ticket;
  if (!ticket.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return Error(ErrorCode::kInvalidRequest, "the Ticket does not parse");
  }
  if (ticket.ticket() == protocol::kStatusPath) return WriteStatus();
  auth::Caller& caller = call_.caller();
  ARROW_ASSIGN_OR_RAISE(auto found, reads_.snapshots.Find(caller.principal(), ticket.ticket()));
  ARROW_RETURN_NOT_OK(caller.Require(auth::Right::kRead, found.snapshot->identifier.ToString()));
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaMessage(*found.snapshot->schema));
  call_.Write(std::move(schema));
  scan_ = std::make_shared<query::TableScan>(reads_.source, std::move(found.snapshot), found.part);
  ReadNext();
  return Status::OK();
}

Status DoGetCall::WriteStatus() {
  ARROW_ASSIGN_OR_RAISE(const auto batch, protocol::ToRecordBatch(engine_.status()));
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaMessage(*batch->schema()));
  ARROW_ASSIGN_OR_RAISE(auto rows, BatchMessages(*batch));
  call_.Write(std::move(schema));
  for (auto& message : rows) call_.Write(std::move(message));
  Finish(Status::OK());
  return Status::OK();
}

// No messages: there are no more rows.
void DoGetCall::ReadNext() {
  Aside<Result<Messages>>(
      reads_,
      [scan = scan_]() -> Result<Messages> {
        ARROW_ASSIGN_OR_RAISE(const auto batch, scan->Next());
        if (batch == nullptr) return Messages();
        return BatchMessages(*batch);
      },
      [this](Result<Messages> messages) { OnRead(std::move(messages)); });
}

void DoGetCall::OnRead(Result<Messages> messages) {
  if (!messages.ok() || messages->empty()) return Finish(messages.status());
  for (auto& message : *messages) call_.Write(std::move(message));
  waits_ = call_.queued_bytes() > kMaxQueuedBytes;
  if (!waits_) ReadNext();
}

void DoGetCall::OnWritable() {
  if (std::exchange(waits_, false)) ReadNext();
}

}  // namespace arka::flight

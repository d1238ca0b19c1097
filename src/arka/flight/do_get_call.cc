#include "arka/flight/do_get_call.h"

#include <utility>

#include "arka/flight/flight.pb.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/server_status.h"
#include "arka/query/ipc_payloads.h"

namespace arka::flight {
namespace {

constexpr size_t kMaxQueuedBytes = 8 << 20;

}  // namespace

Status DoGetCall::Begin(const arrow::Buffer& request) {
  ::arrow::flight::protocol::Ticket ticket;
  if (!ticket.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return Error(ErrorCode::kInvalidRequest, "the Ticket does not parse");
  }
  if (ticket.ticket() == protocol::kStatusPath) {
    return WriteStatus();
  }
  auth::Caller& caller = call_.caller();
  ARROW_ASSIGN_OR_RAISE(auto found, reads_.results.Find(caller.principal(), ticket.ticket()));
  for (const std::string& table : found.result->tables()) {
    ARROW_RETURN_NOT_OK(caller.Require(auth::Right::kRead, table));
  }
  Open(std::move(found.result), found.part);
  return Status::OK();
}

// At once: how the server is must not wait for the reads that keep it busy.
Status DoGetCall::WriteStatus() {
  ARROW_ASSIGN_OR_RAISE(const auto status, protocol::ToRecordBatch(engine_.status()));
  ARROW_ASSIGN_OR_RAISE(const auto schema, query::SchemaPayloadOf(*status->schema()));
  ARROW_ASSIGN_OR_RAISE(const auto rows, query::BatchPayloadsOf(*status));
  call_.Write(protocol::EncodeFlightData(schema));
  for (const auto& payload : rows) call_.Write(protocol::EncodeFlightData(payload));
  Finish(Status::OK());
  return Status::OK();
}

void DoGetCall::Open(std::shared_ptr<query::HeldResult> result, size_t part) {
  struct Opened {
    Reader reader;
    Payloads schema;
  };
  result_ = std::move(result);
  AsideBy<Result<Opened>>(
      Runner(),
      [result = result_, part]() -> Result<Opened> {
        ARROW_ASSIGN_OR_RAISE(Reader reader, result->Read(part));
        Opened opened{std::move(reader), Payloads(1)};
        ARROW_ASSIGN_OR_RAISE(opened.schema[0], opened.reader->Schema());
        return opened;
      },
      [this](Result<Opened> opened) {
        if (!opened.ok()) return Finish(opened.status());
        reader_ = std::move(opened->reader);
        OnRead(std::move(opened->schema));
      });
}

void DoGetCall::ReadNext() {
  if (result_->is_cancelled()) {
    return Finish(Error(ErrorCode::kCancelled, "what is read was cancelled"));
  }
  AsideBy<Result<Payloads>>(
      Runner(), [reader = reader_] { return reader->Next(); },
      [this](Result<Payloads> payloads) { OnRead(std::move(payloads)); });
}

void DoGetCall::OnRead(Result<Payloads> payloads) {
  if (!payloads.ok() || payloads->empty()) return Finish(payloads.status());
  for (const auto& payload : *payloads) call_.Write(protocol::EncodeFlightData(payload));
  waits_ = call_.queued_bytes() > kMaxQueuedBytes;
  if (!waits_) ReadNext();
}

std::function<void(std::function<void()>)> DoGetCall::Runner() {
  return [this](std::function<void()> task) {
    if (result_->runs_by_itself()) return result_->Run(std::move(task));
    reads_.Run(std::move(task));
  };
}

void DoGetCall::OnCancelled(const transport::CallStatus& why) {
  if (reader_ != nullptr) reader_->Cancel();
}

void DoGetCall::OnWritable() {
  if (std::exchange(waits_, false)) ReadNext();
}

}  // namespace arka::flight

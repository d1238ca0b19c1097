#include "arka/flight/status_calls.h"

#include <string>
#include <vector>

#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>

#include "arka/flight/flight.pb.h"
#include "arka/flight/path_descriptor.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/descriptor.h"
#include "arka/protocol/flight_data.h"
#include "arka/protocol/server_status.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

void UnaryCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (request_ == nullptr) request_ = std::move(message);
}

void UnaryCall::OnHalfClose() {
  const Status answered =
      request_ == nullptr ? Error(ErrorCode::kInvalidRequest, "the call came without its message")
                          : Answer(*request_);
  call_.Finish(ToCallStatus(answered));
}

Status GetFlightInfoCall::Answer(const arrow::Buffer& request) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> path, ParsePathDescriptor(request));
  if (path != std::vector<std::string>{std::string(protocol::kStatusPath)}) {
    return Error(ErrorCode::kUnimplemented,
                 "GetFlightInfo answers the path ['status'] in this version; read tables through "
                 "their Iceberg catalog");
  }
  const protocol::ServerStatus status = engine_.status();
  ARROW_ASSIGN_OR_RAISE(const auto batch, protocol::ToRecordBatch(status));
  ARROW_ASSIGN_OR_RAISE(const auto schema, arrow::ipc::SerializeSchema(*batch->schema()));

  messages::FlightInfo info;
  info.set_schema(schema->ToString());
  info.mutable_flight_descriptor()->set_type(messages::FlightDescriptor::PATH);
  info.mutable_flight_descriptor()->add_path(path[0]);
  info.add_endpoint()->mutable_ticket()->set_ticket(std::string(protocol::kStatusPath));
  info.set_total_records(1);
  info.set_total_bytes(-1);
  info.set_app_metadata(protocol::ToJson(status));
  call_.Write({arrow::Buffer::FromString(info.SerializeAsString())});
  return Status::OK();
}

Status DoGetCall::Answer(const arrow::Buffer& request) {
  messages::Ticket ticket;
  if (!ticket.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return Error(ErrorCode::kInvalidRequest, "the Ticket does not parse");
  }
  if (ticket.ticket() != protocol::kStatusPath) {
    return Error(ErrorCode::kNotFound, "no such ticket; GetFlightInfo gives tickets out");
  }
  ARROW_ASSIGN_OR_RAISE(const auto batch, protocol::ToRecordBatch(engine_.status()));
  const auto options = arrow::ipc::IpcWriteOptions::Defaults();
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(*batch->schema());
  ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(*batch->schema(), options, mapper, &payload));
  call_.Write(protocol::EncodeFlightData(payload));
  ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(*batch, options, &payload));
  call_.Write(protocol::EncodeFlightData(payload));
  return Status::OK();
}

}  // namespace arka::flight

#include "arka/flight/action_calls.h"

#include <array>
#include <string>
#include <utility>

#include "arka/flight/alter_table_action.h"
#include "arka/flight/create_table_action.h"
#include "arka/flight/drop_table_action.h"
#include "arka/flight/durability_status_action.h"
#include "arka/flight/flight.pb.h"
#include "arka/flight/flush_action.h"
#include "arka/flight/list_sessions_action.h"
#include "arka/flight/prepared_statement_actions.h"
#include "arka/flight/producer_actions.h"
#include "arka/flight/seal_action.h"
#include "arka/flight/session_options_actions.h"
#include "arka/flight/status_action.h"
#include "arka/flight/status_mapping.h"
#include "arka/flight/ticket_actions.h"

namespace arka::flight {
namespace {

namespace messages = ::arrow::flight::protocol;

struct KnownAction {
  std::string_view name;
  std::string_view description;
  StartAction start;
};

constexpr std::array<KnownAction, 21> kActions = {{
    {"last_seq",
     "Where a producer is to go on: {\"producer\": name, \"table\": \"namespace.name\"} -> "
     "{\"producer\", \"table\", \"last_seq\", \"lsn\"}; last_seq 0: nothing is known, begin at 1; "
     "forgotten_through beside it: see docs/spec/wire.md.",
     StartLastSeq},
    {"claim_producer",
     "The same for a program that goes on under the name of an earlier one: {\"producer\": name, "
     "\"table\": name} -> {\"producer\", \"table\", \"epoch\", \"last_seq\", \"lsn\"}; what is "
     "sent without the header arka-producer-epoch, or with a lower one, is refused from then on.",
     StartClaimProducer},
    {"durability_status",
     "{\"session\": name, \"after_lsn\": LSN, \"until\": level} -> the session's acks above "
     "after_lsn, and the older ones that came after its stream ended; with until it waits for that "
     "level. {\"lsns\": [...]} -> the level of each.",
     StartDurabilityStatus},
    {"flush",
     "{\"level\": \"LOCAL_DISK\" | \"OBJECT_STORAGE\" | \"COMMITTED\", \"table\": name} -> "
     "{\"lsn\", "
     "\"level\"} once every write of before the call (to that table; without it, to any) is there.",
     StartFlush},
    {"commit",
     "{\"table\": name} -> {\"lsn\", \"tables\": [{\"table\", \"committed_lsn\", "
     "\"snapshot_id\"}]} "
     "once every write of before the call (to that table; without it, to any) is committed.",
     StartCommit},
    {"status", "{} -> the server's status: the JSON of GetFlightInfo of the path 'status'.",
     StartStatus},
    {"list_sessions",
     "{\"after\": name} -> {\"sessions\": [{\"session\", \"open_streams\", \"ended_streams\", "
     "\"last_lsn\"}], \"more\"}: up to 1000 of those that durability_status can be asked for, in "
     "the "
     "order of their names, after that one.",
     StartListSessions},
    {"create_table",
     "{\"table\": name, \"schema_ipc\": an Arrow IPC schema message in Base64} -> {\"table\", "
     "\"uuid\"}: "
     "an empty table for batches of that schema.",
     StartCreateTable},
    {"alter_table",
     "{\"table\": name, \"changes\": [{\"change\": \"add_column\", \"name\", \"type\"}, "
     "{\"change\": \"drop_column\", \"name\"}, {\"change\": \"rename_column\", \"name\", \"to\"}, "
     "{\"change\": \"promote_column\", \"name\", \"type\"}, {\"change\": \"make_optional\", "
     "\"name\"}]} -> {\"table\", \"schema_id\", \"columns\"}: all of them or none.",
     StartAlterTable},
    {"drop_table",
     "{\"table\": name} -> {\"table\", \"uuid\"}: what was written to it is committed, then the "
     "catalog forgets it; its files stay.",
     StartDropTable},
    {"seal",
     "{\"table\": name} -> {\"table\", \"last_lsn\"}: from the answer on no write to it is taken, "
     "until unseal; what was written before is committed as always.",
     StartSeal},
    {"unseal", "{\"table\": name} -> {\"table\"}: it takes writes again.", StartUnseal},
    {"cancel",
     "{\"ticket\": a ticket in Base64} -> {\"cancelled\"}: it and its fellows are forgotten, and "
     "reads of them end.",
     StartCancel},
    {"CancelFlightInfo",
     "CancelFlightInfoRequest -> CancelFlightInfoResult: the tickets of a FlightInfo are "
     "forgotten, and reads of them end.",
     StartCancelFlightInfo},
    {"RenewFlightEndpoint",
     "RenewFlightEndpointRequest -> FlightEndpoint: the same ticket with a new time of expiry.",
     StartRenewFlightEndpoint},
    {"SetSessionOptions",
     "SetSessionOptionsRequest -> SetSessionOptionsResult: options of the session that the cookie "
     "arrow_flight_session_id names: 'schema', where tables without a namespace lie, and "
     "'catalog'.",
     StartSetSessionOptions},
    {"GetSessionOptions", "GetSessionOptionsRequest -> GetSessionOptionsResult.",
     StartGetSessionOptions},
    {"CloseSession", "CloseSessionRequest -> CloseSessionResult: the options are forgotten.",
     StartCloseSession},
    {"CreatePreparedStatement",
     "Flight SQL's ActionCreatePreparedStatementRequest -> ActionCreatePreparedStatementResult: a "
     "query, or an INSERT, with or without parameters.",
     StartCreatePreparedStatement},
    {"ClosePreparedStatement",
     "Flight SQL's ActionClosePreparedStatementRequest: the statement is forgotten.",
     StartClosePreparedStatement},
    {"CancelQuery",
     "Flight SQL's ActionCancelQueryRequest -> ActionCancelQueryResult: as CancelFlightInfo.",
     StartCancelQuery},
}};

std::string KnownNames() {
  std::string names;
  for (const KnownAction& action : kActions) {
    if (!names.empty()) names += ", ";
    names += action.name;
  }
  return names;
}

}  // namespace

void WriteActionResult(transport::ServerCall& call, std::string body) {
  messages::Result result;
  result.set_body(std::move(body));
  call.Write({arrow::Buffer::FromString(result.SerializeAsString())});
}

void DoActionCall::OnMessage(std::shared_ptr<arrow::Buffer> message) {
  if (request_ == nullptr) request_ = std::move(message);
}

void DoActionCall::OnHalfClose() {
  const Status begun = Begin();
  request_.reset();
  if (!begun.ok()) context_.call.Finish(ToCallStatus(begun));
}

void DoActionCall::OnWritable() {
  if (action_ != nullptr) action_->OnWritable();
}

void DoActionCall::OnCancelled(const transport::CallStatus& why) {
  if (action_ != nullptr) action_->OnCancelled();
}

Status DoActionCall::Begin() {
  messages::Action request;
  if (request_ == nullptr ||
      !request.ParseFromArray(request_->data(), static_cast<int>(request_->size()))) {
    return Error(ErrorCode::kInvalidRequest, "DoAction: the call has no Action that parses");
  }
  for (const KnownAction& known : kActions) {
    if (request.type() != known.name) continue;
    return known.start(context_, request.body()).Value(&action_);
  }
  return Error(ErrorCode::kNotFound, "no action '", request.type().substr(0, 100),
               "'; there are: ", KnownNames());
}

void ListActionsCall::OnHalfClose() {
  for (const KnownAction& known : kActions) {
    messages::ActionType type;
    type.set_type(std::string(known.name));
    type.set_description(std::string(known.description));
    call_.Write({arrow::Buffer::FromString(type.SerializeAsString())});
  }
  call_.Finish({});
}

}  // namespace arka::flight

#include "arka/flight/ticket_actions.h"

#include <string>

#include <nlohmann/json.hpp>

#include "arka/base/base64.h"
#include "arka/flight/action_body.h"
#include "arka/flight/flight.pb.h"
#include "arka/flight/flight_info.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

// Endpoints of one FlightInfo are parts of one result: the first that is known ends them all.
Result<std::unique_ptr<Action>> StartCancelFlightInfo(const ActionContext& context,
                                                      std::string_view body) {
  messages::CancelFlightInfoRequest request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Error(ErrorCode::kInvalidRequest,
                 "action CancelFlightInfo: the body is not a CancelFlightInfoRequest");
  }
  const std::string& principal = context.call.caller().principal();
  bool cancelled = false;
  for (const auto& endpoint : request.info().endpoint()) {
    cancelled |= context.reads.results.Cancel(principal, endpoint.ticket().ticket());
  }
  if (!cancelled) {
    return Error(
        ErrorCode::kNotFound,
        "the FlightInfo has no ticket that is known (any more): there is nothing to cancel");
  }
  messages::CancelFlightInfoResult result;
  result.set_status(messages::CANCEL_STATUS_CANCELLED);
  WriteActionResult(context.call, result.SerializeAsString());
  context.call.Finish({});
  return nullptr;
}

Result<std::unique_ptr<Action>> StartRenewFlightEndpoint(const ActionContext& context,
                                                         std::string_view body) {
  messages::RenewFlightEndpointRequest request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Error(ErrorCode::kInvalidRequest,
                 "action RenewFlightEndpoint: the body is not a RenewFlightEndpointRequest");
  }
  const std::string& principal = context.call.caller().principal();
  ARROW_RETURN_NOT_OK(
      context.reads.results.Find(principal, request.endpoint().ticket().ticket()).status());
  messages::FlightEndpoint renewed = request.endpoint();
  SetTime(context.reads.results.expiration(), *renewed.mutable_expiration_time());
  WriteActionResult(context.call, renewed.SerializeAsString());
  context.call.Finish({});
  return nullptr;
}

Result<std::unique_ptr<Action>> StartCancel(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse("cancel", text, {"ticket"}));
  ARROW_ASSIGN_OR_RAISE(const std::string encoded, body.Text("ticket"));
  const auto ticket = DecodeBase64(encoded);
  if (!ticket) return body.Wrong("ticket", "is not Base64");
  const std::string& principal = context.call.caller().principal();
  const nlohmann::ordered_json answer = {
      {"cancelled", context.reads.results.Cancel(principal, *ticket)}};
  WriteActionResult(context.call, answer.dump());
  context.call.Finish({});
  return nullptr;
}

}  // namespace arka::flight

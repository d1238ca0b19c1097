// Actions on what was given out by GetFlightInfo: `CancelFlightInfo` and `RenewFlightEndpoint` of
// Arrow Flight, whose bodies are protobuf messages, and `cancel` (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartCancelFlightInfo(const ActionContext& context,
                                                      std::string_view body);
Result<std::unique_ptr<Action>> StartRenewFlightEndpoint(const ActionContext& context,
                                                         std::string_view body);
Result<std::unique_ptr<Action>> StartCancel(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

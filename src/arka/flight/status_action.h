// Action `status`: how the server is, as GetFlightInfo of the path `status` says it
// (docs/spec/wire.md, "Status").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartStatus(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

#include "arka/flight/status_action.h"

#include "arka/flight/action_body.h"
#include "arka/flight/flight_info.h"
#include "arka/protocol/server_status.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartStatus(const ActionContext& context, std::string_view text) {
  ARROW_RETURN_NOT_OK(ActionBody::ParseOrEmpty("status", text, {}));
  WriteActionResult(context.call,
                    protocol::ToJson(VisibleStatus(context.loop.engine, context.call.caller())));
  context.call.Finish({});
  return nullptr;
}

}  // namespace arka::flight

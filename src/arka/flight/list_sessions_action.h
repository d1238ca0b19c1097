// Action `list_sessions`: whom the server can tell what became of their writes
// (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartListSessions(const ActionContext& context,
                                                  std::string_view body);

}  // namespace arka::flight

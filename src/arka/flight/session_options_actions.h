// Actions `SetSessionOptions`, `GetSessionOptions` and `CloseSession` of Arrow Flight, whose bodies
// are protobuf messages (docs/spec/wire.md, "Session options").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartSetSessionOptions(const ActionContext& context,
                                                       std::string_view body);
Result<std::unique_ptr<Action>> StartGetSessionOptions(const ActionContext& context,
                                                       std::string_view body);
Result<std::unique_ptr<Action>> StartCloseSession(const ActionContext& context,
                                                  std::string_view body);

}  // namespace arka::flight

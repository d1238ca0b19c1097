// Actions `seal` and `unseal`: whether a table takes writes (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartSeal(const ActionContext& context, std::string_view body);
Result<std::unique_ptr<Action>> StartUnseal(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

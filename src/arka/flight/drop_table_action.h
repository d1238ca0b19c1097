// Action `drop_table` (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartDropTable(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

// Action `create_table`: an empty table for an Arrow schema (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartCreateTable(const ActionContext& context,
                                                 std::string_view body);

}  // namespace arka::flight

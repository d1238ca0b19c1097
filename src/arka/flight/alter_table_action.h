// Action `alter_table`: columns added, dropped, renamed, promoted, made optional
// (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartAlterTable(const ActionContext& context,
                                                std::string_view body);

}  // namespace arka::flight

// The action `last_seq`: where a producer is to go on.
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

/// {"producer", "table"} -> {"producer", "table", "last_seq", "lsn"}, and "forgotten_through" where
/// nothing is known but may have been. Asks the catalog, off the
/// loop, where no stream has opened the table since the start.
Result<std::unique_ptr<Action>> StartLastSeq(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

// The action `durability_status`: what became of a session's writes, or of single LSNs.
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

/// {"session", "after_lsn", "until"} streams the session's events, as the client reads them, and
/// stays open until every LSN that the session was given before has reached `until`; without it,
/// ends after what is due now. {"lsns"} answers the level of each.
Result<std::unique_ptr<Action>> StartDurabilityStatus(const ActionContext& context,
                                                      std::string_view body);

}  // namespace arka::flight

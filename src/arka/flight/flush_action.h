// Actions `flush` and `commit`: get everything that was written before the call to a level now, and
// answer when it is there (docs/spec/wire.md, "Actions").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartFlush(const ActionContext& context, std::string_view body);

/// A flush to COMMITTED that answers the snapshots.
Result<std::unique_ptr<Action>> StartCommit(const ActionContext& context, std::string_view body);

}  // namespace arka::flight

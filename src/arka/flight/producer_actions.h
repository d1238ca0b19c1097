// The actions of producers: `last_seq`, where one is to go on, and `claim_producer`, the same for a
// program that takes over the name of an earlier one (docs/spec/wire.md, "Exactly once").
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

/// {"producer", "table"} -> {"producer", "table", "last_seq", "lsn"}, and "forgotten_through" where
/// nothing is known but may have been. Asks the catalog, off the loop, where no stream has opened
/// the table since the start.
Result<std::unique_ptr<Action>> StartLastSeq(const ActionContext& context, std::string_view body);

/// The same with "epoch": what is still on the way under a lower one is refused from now on. Also
/// for a table that is not there yet.
Result<std::unique_ptr<Action>> StartClaimProducer(const ActionContext& context,
                                                   std::string_view body);

}  // namespace arka::flight

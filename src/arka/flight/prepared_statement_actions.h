// Actions `CreatePreparedStatement`, `ClosePreparedStatement` and `CancelQuery` of Flight SQL,
// whose bodies and answers are protobuf messages in an Any.
#pragma once

#include "arka/flight/action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartCreatePreparedStatement(const ActionContext& context,
                                                             std::string_view body);
Result<std::unique_ptr<Action>> StartClosePreparedStatement(const ActionContext& context,
                                                            std::string_view body);
Result<std::unique_ptr<Action>> StartCancelQuery(const ActionContext& context,
                                                 std::string_view body);

}  // namespace arka::flight

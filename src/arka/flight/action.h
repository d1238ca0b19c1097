// What an action has to work with, and what it is while it runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arka/acks/loop_context.h"
#include "arka/acks/session_registry.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// All must outlive the action.
struct ActionContext {
  transport::ServerCall& call;
  acks::LoopContext& loop;
  const acks::SessionRegistry& sessions;
  const std::string& default_namespace;
};

/// An action under way, on its call's loop; destroyed with the call.
class Action {
 public:
  virtual ~Action() = default;
  virtual void OnWritable() {}
};

/// One Result message with `body`.
void WriteActionResult(transport::ServerCall& call, std::string body);

/// How an action begins, given the body of its request. An error ends the call with it; an action
/// ends its call itself, now or later.
using StartAction = Result<std::unique_ptr<Action>> (*)(const ActionContext& context,
                                                        std::string_view body);

}  // namespace arka::flight

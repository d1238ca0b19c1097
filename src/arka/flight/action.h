// What an action has to work with, and what it is while it runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "arka/acks/loop_context.h"
#include "arka/acks/session_registry.h"
#include "arka/flight/client_sessions.h"
#include "arka/flight/sql_session.h"
#include "arka/query/table_reads.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// What it refers to must outlive the action.
struct ActionContext {
  transport::ServerCall& call;
  acks::LoopContext& loop;
  const acks::SessionRegistry& sessions;
  ClientSessions& client_sessions;
  query::TableReads& reads;
  const std::string default_namespace;  // of the client's session, where that has one
  flight_sql::PreparedStatements& statements;
  const WriteStreamOptions& options;

  SqlSession sql_session() const {
    return {loop.engine, reads, statements, options, call.shared_caller(), default_namespace};
  }
};

/// An action under way, on its call's loop; destroyed with the call.
class Action {
 public:
  virtual ~Action() = default;
  virtual void OnWritable() {}
  /// The call is over before the action has ended it.
  virtual void OnCancelled() {}
};

/// One Result message with `body`.
void WriteActionResult(transport::ServerCall& call, std::string body);

/// How an action begins, given the body of its request. An error ends the call with it; an action
/// ends its call itself, now or later.
using StartAction = Result<std::unique_ptr<Action>> (*)(const ActionContext& context,
                                                        std::string_view body);

}  // namespace arka::flight

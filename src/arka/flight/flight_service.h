// Arrow Flight on the transport seam: finds the handler for a call, and wakes its streams.
//
// DoExchange and DoPut write (write_stream.h); GetFlightInfo and its kin describe tables and the
// server's status (describe_calls.h), DoGet reads them (do_get_call.h); DoAction answers questions
// about writes (action_calls.h). Owned by the composition root; thread-safe as the transport uses
// it. Bind it to the loops before they run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/acks/loop_contexts.h"
#include "arka/acks/session_registry.h"
#include "arka/flight/action.h"
#include "arka/flight/client_sessions.h"
#include "arka/flight/describe_calls.h"
#include "arka/flight/write_stream.h"
#include "arka/flight_sql/prepared_statements.h"
#include "arka/ingest/engine.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"
#include "arka/query/table_reads.h"
#include "arka/transport/call.h"

namespace arka::flight {

class FlightService : public transport::Service {
 public:
  /// All must outlive the service. Registers with the engine: before Engine::Start.
  FlightService(ingest::Engine& engine, query::TableReads& reads, const Clock& clock,
                Random& random, WriteStreamOptions options);

  /// Makes the loops known whose calls will come.
  void Bind(const std::vector<transport::EventLoop*>& loops);

  std::unique_ptr<transport::CallHandler> Start(transport::ServerCall& call) override;

  /// No stream takes more writes; each ends once its acks are out. Any thread.
  void Shutdown();

  /// What other services share with this one: the loops' sleepers, and who was given which LSNs.
  acks::LoopContexts& contexts() { return contexts_; }
  acks::SessionRegistry& sessions() { return sessions_; }

 private:
  std::unique_ptr<transport::CallHandler> StartWrite(transport::ServerCall& call, WriteRpc rpc);
  Result<std::unique_ptr<transport::CallHandler>> StartPutCommand(transport::ServerCall& call,
                                                                  const std::string& command);
  ActionContext ActionContextOf(transport::ServerCall& call);
  DescribeContext DescribeContextOf(transport::ServerCall& call);
  std::string NamespaceOf(transport::ServerCall& call);
  void SweepSessions(transport::EventLoop& loop);
  void SweepResults(transport::EventLoop& loop);

  ingest::Engine& engine_;
  query::TableReads& reads_;
  const Clock& clock_;
  Random& random_;
  const WriteStreamOptions options_;
  acks::SessionRegistry sessions_;
  ClientSessions client_sessions_;
  flight_sql::PreparedStatements statements_;
  acks::LoopContexts contexts_;
  std::atomic<bool> shutting_down_{false};
};

}  // namespace arka::flight

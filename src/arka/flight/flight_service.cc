#include "arka/flight/flight_service.h"

#include <algorithm>
#include <utility>

#include "arka/flight/action_calls.h"
#include "arka/flight/do_get_call.h"
#include "arka/flight/ingest_call.h"
#include "arka/flight/put_dispatch.h"
#include "arka/flight/statement_put_call.h"
#include "arka/flight/status_mapping.h"
#include "arka/flight_sql/any_message.h"

namespace arka::flight {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPrefix = "/arrow.flight.protocol.FlightService/";

constexpr milliseconds kSweepResultsEvery{5'000};

// Often enough that an idle stream ends when it should, rarely enough to cost nothing.
milliseconds SweepInterval(milliseconds idle_timeout) {
  return std::clamp(idle_timeout / 8, milliseconds(10), milliseconds(10'000));
}

void Refuse(transport::ServerCall& call, const Status& status) {
  call.Finish(ToCallStatus(status));
}

}  // namespace

FlightService::FlightService(ingest::Engine& engine, query::TableReads& reads, const Clock& clock,
                             Random& random, WriteStreamOptions options)
    : engine_(engine),
      reads_(reads),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      sessions_(clock, {.retention = options_.ack_retention}),
      client_sessions_(clock, random),
      statements_(clock, random),
      contexts_(engine) {}

void FlightService::Bind(const std::vector<transport::EventLoop*>& loops) {
  const bool sweeps = options_.idle_timeout.count() > 0;
  contexts_.Bind(loops, sweeps ? SweepInterval(options_.idle_timeout) : milliseconds(0));
  SweepSessions(*loops.front());
  SweepResults(*loops.front());
}

void FlightService::SweepSessions(transport::EventLoop& loop) {
  loop.PostAfter(SweepInterval(options_.ack_retention), [this, &loop] {
    sessions_.Sweep();
    SweepSessions(loop);
  });
}

void FlightService::SweepResults(transport::EventLoop& loop) {
  loop.PostAfter(kSweepResultsEvery, [this, &loop] {
    reads_.Sweep();
    client_sessions_.Sweep();
    statements_.Sweep();
    SweepResults(loop);
  });
}

std::unique_ptr<transport::CallHandler> FlightService::Start(transport::ServerCall& call) {
  std::string_view method = call.method();
  if (!method.starts_with(kPrefix)) {
    Refuse(call, Error(ErrorCode::kUnimplemented, "no service at '", method.substr(0, 100),
                       "'; this is an Arrow Flight server"));
    return nullptr;
  }
  method.remove_prefix(kPrefix.size());
  if (method == "DoExchange") return StartWrite(call, WriteRpc::kDoExchange);
  if (method == "DoPut") return StartWrite(call, WriteRpc::kDoPut);
  using Answer = DescribeCall::Answer;
  for (const auto& [name, answer] :
       {std::pair("GetFlightInfo", Answer::kFlightInfo),
        std::pair("PollFlightInfo", Answer::kPollInfo), std::pair("GetSchema", Answer::kSchema)}) {
    if (method == name) return std::make_unique<DescribeCall>(DescribeContextOf(call), answer);
  }
  if (method == "ListFlights") return std::make_unique<ListFlightsCall>(DescribeContextOf(call));
  if (method == "DoGet") return std::make_unique<DoGetCall>(call, engine_, reads_);
  if (method == "DoAction") return std::make_unique<DoActionCall>(ActionContextOf(call));
  if (method == "ListActions") return std::make_unique<ListActionsCall>(call);
  Refuse(call, Error(ErrorCode::kUnimplemented, "Flight method ", method.substr(0, 100),
                     " is not answered by this version"));
  return nullptr;
}

std::unique_ptr<transport::CallHandler> FlightService::StartWrite(transport::ServerCall& call,
                                                                  WriteRpc rpc) {
  if (shutting_down_) {
    Refuse(call, Error(ErrorCode::kShuttingDown, "the server is shutting down"));
    return nullptr;
  }
  auto headers = rpc == WriteRpc::kDoPut ? protocol::ParsePutHeaders(call.metadata())
                                         : protocol::ParseWriteHeaders(call.metadata());
  if (!headers.ok()) {
    Refuse(call, headers.status());
    return nullptr;
  }
  if (headers->session.empty()) headers->session = MakeUuid(random_);
  auto stream = std::make_unique<WriteStream>(call, contexts_.Of(call.loop()), clock_, sessions_,
                                              rpc, std::move(*headers), options_);
  if (rpc != WriteRpc::kDoPut) return stream;
  return std::make_unique<PutDispatch>(std::move(stream),
                                       [this, &call](const std::string& command) {
                                         auto started = StartPutCommand(call, command);
                                         if (!started.ok()) Refuse(call, started.status());
                                         return started.ok() ? *std::move(started) : nullptr;
                                       });
}

Result<std::unique_ptr<transport::CallHandler>> FlightService::StartPutCommand(
    transport::ServerCall& call, const std::string& command) {
  const auto asked = flight_sql::Unwrap(command);
  if (!asked) {
    return Error(ErrorCode::kInvalidRequest,
                 "the descriptor's command is no message of Flight SQL; to write to a table, open "
                 "DoPut with its path, such as ['sales', 'orders']");
  }
  acks::LoopContext& context = contexts_.Of(call.loop());
  const auto make_sink = [this, &call, &context](protocol::TableName table, auto done) {
    return std::make_unique<RowSink>(call, context, clock_, options_, std::move(table),
                                     std::move(done));
  };
  if (asked->name == "CommandStatementIngest") {
    ARROW_ASSIGN_OR_RAISE(
        auto target, ParseIngest(asked->value, {reads_.source.catalog_name, NamespaceOf(call)}));
    const std::string table = target.table.ToString();
    ARROW_RETURN_NOT_OK(call.caller().Require(auth::Right::kWrite, table));
    if (target.mode.changes_tables()) {
      ARROW_RETURN_NOT_OK(call.caller().Require(auth::Right::kAdmin, table));
    }
    return std::make_unique<IngestCall>(call, context, std::move(target), make_sink);
  }
  if (IsStatementPut(*asked)) {
    SqlSession session{engine_,          reads_, statements_, options_, call.shared_caller(),
                       NamespaceOf(call)};
    return std::make_unique<StatementPutCall>(call, std::move(session), *asked);
  }
  return Error(ErrorCode::kUnimplemented, "Flight SQL's ", asked->name.substr(0, 100),
               " is not answered by this version");
}

ActionContext FlightService::ActionContextOf(transport::ServerCall& call) {
  return {call,   contexts_.Of(call.loop()), sessions_,   client_sessions_,
          reads_, NamespaceOf(call),         statements_, options_};
}

DescribeContext FlightService::DescribeContextOf(transport::ServerCall& call) {
  return {call, engine_, reads_, NamespaceOf(call), statements_, options_};
}

std::string FlightService::NamespaceOf(transport::ServerCall& call) {
  const SessionOptions options =
      client_sessions_.OptionsOf(call.caller().principal(), call.metadata());
  const auto schema = options.find("schema");
  return schema == options.end() ? options_.default_namespace : schema->second;
}

void FlightService::Shutdown() {
  shutting_down_ = true;
  contexts_.Shutdown();
}

}  // namespace arka::flight

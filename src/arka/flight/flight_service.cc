#include "arka/flight/flight_service.h"

#include <algorithm>
#include <utility>

#include "arka/flight/action_calls.h"
#include "arka/flight/do_get_call.h"
#include "arka/flight/status_mapping.h"

namespace arka::flight {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPrefix = "/arrow.flight.protocol.FlightService/";

constexpr milliseconds kSweepSnapshotsEvery{5'000};

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
      contexts_(engine) {}

void FlightService::Bind(const std::vector<transport::EventLoop*>& loops) {
  const bool sweeps = options_.idle_timeout.count() > 0;
  contexts_.Bind(loops, sweeps ? SweepInterval(options_.idle_timeout) : milliseconds(0));
  SweepSessions(*loops.front());
  SweepSnapshots(*loops.front());
}

void FlightService::SweepSessions(transport::EventLoop& loop) {
  loop.PostAfter(SweepInterval(options_.ack_retention), [this, &loop] {
    sessions_.Sweep();
    SweepSessions(loop);
  });
}

void FlightService::SweepSnapshots(transport::EventLoop& loop) {
  loop.PostAfter(kSweepSnapshotsEvery, [this, &loop] {
    reads_.snapshots.Sweep();
    SweepSnapshots(loop);
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
  return std::make_unique<WriteStream>(call, contexts_.Of(call.loop()), clock_, sessions_, rpc,
                                       std::move(*headers), options_);
}

ActionContext FlightService::ActionContextOf(transport::ServerCall& call) {
  return {call, contexts_.Of(call.loop()), sessions_, options_.default_namespace};
}

DescribeContext FlightService::DescribeContextOf(transport::ServerCall& call) {
  return {call, engine_, reads_, options_.default_namespace};
}

void FlightService::Shutdown() {
  shutting_down_ = true;
  contexts_.Shutdown();
}

}  // namespace arka::flight

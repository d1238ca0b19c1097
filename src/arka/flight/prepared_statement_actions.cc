#include "arka/flight/prepared_statement_actions.h"

#include <string>
#include <utility>

#include "arka/flight/flight.pb.h"
#include "arka/flight/statement_info.h"
#include "arka/flight/status_mapping.h"
#include "arka/flight_sql/any_message.h"
#include "arka/flight_sql/flight_sql.pb.h"

namespace arka::flight {

namespace sql = ::arrow::flight::protocol::sql;

namespace {

template <typename Message>
Result<Message> BodyAs(std::string_view action, std::string_view name, std::string_view body) {
  const auto any = flight_sql::Unwrap(body);
  if (!any || any->name != name) {
    return Error(ErrorCode::kInvalidRequest, "action ", action, ": the body is not the Any of a ",
                 name);
  }
  return flight_sql::ParseMessage<Message>(name, any->value);
}

class CreatePreparedStatementAction : public Action {
 public:
  CreatePreparedStatementAction(transport::ServerCall& call, query::SqlQueries& queries,
                                const SqlSession& session, std::string text)
      : call_(call) {
    queries.Run(
        [&loop = call.loop(), weak = std::weak_ptr(self_), session, text = std::move(text)] {
          if (weak.expired()) return;
          loop.Post([weak, prepared = PrepareStatement(session, text)] {
            if (const auto alive = weak.lock()) (*alive)->Answer(prepared);
          });
        });
  }

 private:
  void Answer(const Result<std::string>& prepared) {
    if (prepared.ok()) WriteActionResult(call_, *prepared);
    call_.Finish(ToCallStatus(prepared.status()));
  }

  transport::ServerCall& call_;
  const std::shared_ptr<CreatePreparedStatementAction*> self_ =
      std::make_shared<CreatePreparedStatementAction*>(this);
};

}  // namespace

Result<std::unique_ptr<Action>> StartCreatePreparedStatement(const ActionContext& context,
                                                             std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(
      auto asked, BodyAs<sql::ActionCreatePreparedStatementRequest>(
                      "CreatePreparedStatement", "ActionCreatePreparedStatementRequest", body));
  if (asked.has_transaction_id()) {
    return Error(ErrorCode::kUnimplemented, "there are no transactions");
  }
  ARROW_ASSIGN_OR_RAISE(query::SqlQueries * queries, context.reads.sql());
  return std::make_unique<CreatePreparedStatementAction>(
      context.call, *queries, context.sql_session(), std::move(*asked.mutable_query()));
}

Result<std::unique_ptr<Action>> StartClosePreparedStatement(const ActionContext& context,
                                                            std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const auto asked,
                        BodyAs<sql::ActionClosePreparedStatementRequest>(
                            "ClosePreparedStatement", "ActionClosePreparedStatementRequest", body));
  context.statements.Close(context.call.caller().principal(), asked.prepared_statement_handle());
  context.call.Finish({});
  return nullptr;
}

Result<std::unique_ptr<Action>> StartCancelQuery(const ActionContext& context,
                                                 std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(const auto asked, BodyAs<sql::ActionCancelQueryRequest>(
                                              "CancelQuery", "ActionCancelQueryRequest", body));
  ::arrow::flight::protocol::FlightInfo info;
  if (!info.ParseFromString(asked.info())) {
    return Error(ErrorCode::kInvalidRequest, "action CancelQuery: the info is not a FlightInfo");
  }
  bool cancelled = false;
  for (const auto& endpoint : info.endpoint()) {
    cancelled |=
        context.reads.results.Cancel(context.call.caller().principal(), endpoint.ticket().ticket());
  }
  if (!cancelled) return Error(ErrorCode::kNotFound, "there is no such query (any more)");
  sql::ActionCancelQueryResult result;
  result.set_result(sql::ActionCancelQueryResult::CANCEL_RESULT_CANCELLED);
  WriteActionResult(context.call,
                    flight_sql::Wrap("ActionCancelQueryResult", result.SerializeAsString()));
  context.call.Finish({});
  return nullptr;
}

}  // namespace arka::flight

#include "arka/flight/statement_info.h"

#include <utility>

#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include "arka/flight/flight_info.h"
#include "arka/flight_sql/any_message.h"
#include "arka/flight_sql/flight_sql.pb.h"
#include "arka/flight_sql/insert_statement.h"
#include "arka/query/batch_result.h"
#include "arka/query/query_result.h"

namespace arka::flight {

namespace sql = ::arrow::flight::protocol::sql;

namespace {

// Drivers cannot bind anything to a parameter of type null; a text is converted to what it is for.
std::shared_ptr<arrow::Schema> BindableSchema(const arrow::Schema& parameters) {
  arrow::FieldVector fields;
  for (const auto& field : parameters.fields()) {
    const bool any = field->type()->id() == arrow::Type::NA;
    fields.push_back(any ? field->WithType(arrow::utf8()) : field);
  }
  return arrow::schema(std::move(fields));
}

Status CheckOneRow(const std::shared_ptr<arrow::RecordBatch>& parameters) {
  if (parameters == nullptr || parameters->num_rows() == 1) return Status::OK();
  return Error(ErrorCode::kInvalidRequest, "a query is run for one row of parameters, and ",
               parameters->num_rows(), " are bound");
}

}  // namespace

Result<flight_sql::PreparedStatement> StatementOf(const SqlSession& session,
                                                  const flight_sql::AnyMessage& command) {
  if (command.name == "CommandStatementQuery") {
    ARROW_ASSIGN_OR_RAISE(const auto asked, flight_sql::ParseMessage<sql::CommandStatementQuery>(
                                                command.name, command.value));
    if (asked.has_transaction_id()) {
      return Error(ErrorCode::kUnimplemented, "there are no transactions");
    }
    return flight_sql::PreparedStatement{asked.query(), nullptr};
  }
  if (command.name == "CommandPreparedStatementQuery") {
    ARROW_ASSIGN_OR_RAISE(
        const auto asked,
        flight_sql::ParseMessage<sql::CommandPreparedStatementQuery>(command.name, command.value));
    return session.statements.Find(session.caller->principal(), asked.prepared_statement_handle());
  }
  return Error(ErrorCode::kUnimplemented, "Flight SQL's ", command.name.substr(0, 100),
               " is not answered by this version");
}

Result<::arrow::flight::protocol::FlightInfo> StatementInfo(
    const SqlSession& session, const flight_sql::PreparedStatement& statement,
    const std::string& command, bool schema_only) {
  ARROW_ASSIGN_OR_RAISE(query::SqlQueries * queries, session.reads.sql());
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<query::HeldResult> result;
  if (flight_sql::IsInsert(statement.sql)) {
    if (!session.as_of.is_now()) {
      return Error(ErrorCode::kInvalidRequest,
                   "an INSERT reads and writes tables as they are now, not an older state");
    }
    const auto context = session.insert_context(*queries);
    schema = arrow::schema({arrow::field("Count", arrow::int64(), /*nullable=*/false)});
    if (schema_only) {
      ARROW_RETURN_NOT_OK(flight_sql::DescribeInsert(context, statement.sql).status());
    } else {
      // Now: clients take the statement for done once this is answered, and may never read on.
      ARROW_ASSIGN_OR_RAISE(const int64_t rows, flight_sql::ExecuteInsert(context, statement.sql,
                                                                          statement.parameters));
      ARROW_ASSIGN_OR_RAISE(auto count, arrow::MakeArrayFromScalar(arrow::Int64Scalar(rows), 1));
      result = std::make_shared<query::BatchResult>(
          arrow::RecordBatch::Make(schema, 1, {std::move(count)}));
    }
  } else {
    ARROW_RETURN_NOT_OK(CheckOneRow(statement.parameters));
    query::SqlStatement query{statement.sql, statement.parameters, session.may_read(),
                              session.default_namespace, session.as_of};
    ARROW_ASSIGN_OR_RAISE(auto described, queries->Describe(query));
    schema = described.schema;
    if (!schema_only) {
      result =
          std::make_shared<query::QueryResult>(*queries, std::move(query), std::move(described));
    }
  }
  ::arrow::flight::protocol::FlightInfo info;
  info.mutable_flight_descriptor()->set_type(::arrow::flight::protocol::FlightDescriptor::CMD);
  info.mutable_flight_descriptor()->set_cmd(command);
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*schema));
  info.set_total_records(-1);
  info.set_total_bytes(-1);
  if (schema_only) return info;
  AddEndpoints(session.reads.results, session.caller->principal(), std::move(result), 1, info);
  return info;
}

Result<std::string> PrepareStatement(const SqlSession& session, const std::string& text) {
  ARROW_ASSIGN_OR_RAISE(query::SqlQueries * queries, session.reads.sql());
  sql::ActionCreatePreparedStatementResult prepared;
  std::shared_ptr<arrow::Schema> parameters;
  if (flight_sql::IsInsert(text)) {
    ARROW_ASSIGN_OR_RAISE(parameters,
                          flight_sql::DescribeInsert(session.insert_context(*queries), text));
  } else {
    ARROW_ASSIGN_OR_RAISE(
        const auto described,
        queries->Describe({text, nullptr, session.may_read(), session.default_namespace}));
    parameters = described.parameters;
    ARROW_ASSIGN_OR_RAISE(*prepared.mutable_dataset_schema(), SerializedSchema(*described.schema));
  }
  ARROW_ASSIGN_OR_RAISE(*prepared.mutable_parameter_schema(),
                        SerializedSchema(*BindableSchema(*parameters)));
  prepared.set_prepared_statement_handle(session.statements.Add(session.caller->principal(), text));
  return flight_sql::Wrap("ActionCreatePreparedStatementResult", prepared.SerializeAsString());
}

}  // namespace arka::flight

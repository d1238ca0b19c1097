#include "arka/flight/describe_calls.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "arka/base/glob.h"
#include "arka/flight/as_of_headers.h"
#include "arka/flight/flight.pb.h"
#include "arka/flight/flight_info.h"
#include "arka/flight/path_descriptor.h"
#include "arka/flight/statement_info.h"
#include "arka/flight_sql/insert_statement.h"
#include "arka/flight_sql/metadata_commands.h"
#include "arka/protocol/descriptor.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

namespace {

constexpr size_t kMaxQueuedBytes = 1 << 20;

using Kind = DescribeCall::Answer;

Result<std::string> PollAnswer(messages::FlightInfo info) {
  messages::PollInfo poll;
  // Without a descriptor to poll again: it is complete.
  if (info.endpoint_size() > 0) {
    *poll.mutable_expiration_time() = info.endpoint(0).expiration_time();
  }
  *poll.mutable_info() = std::move(info);
  poll.set_progress(1.0);
  return poll.SerializeAsString();
}

Result<std::string> AnswerOf(Kind kind, Result<messages::FlightInfo> info) {
  ARROW_RETURN_NOT_OK(info.status());
  if (kind == Kind::kPollInfo) return PollAnswer(*std::move(info));
  if (kind == Kind::kFlightInfo) return info->SerializeAsString();
  messages::SchemaResult result;
  result.set_schema(info->schema());
  return result.SerializeAsString();
}

}  // namespace

Status DescribeCall::Begin(const arrow::Buffer& request) {
  ARROW_ASSIGN_OR_RAISE(const query::AsOf as_of, ParseAsOf(call_.metadata()));
  if (const auto command = CommandOf(request)) {
    return DescribeCommand(*command, as_of);
  }
  ARROW_ASSIGN_OR_RAISE(const auto path, ParsePathDescriptor(request));
  ARROW_ASSIGN_OR_RAISE(const auto target,
                        protocol::ParsePath(path, {}, context_.default_namespace));
  if (std::holds_alternative<protocol::StatusTarget>(target)) {
    if (!as_of.is_now()) {
      return Error(ErrorCode::kInvalidRequest, "the status is that of now: leave out ",
                   kAsOfSnapshotHeader, " and ", kAsOfLsnHeader);
    }
    Write(AnswerOf(answer_, StatusInfo(VisibleStatus(context_.engine, call_.caller()))));
  } else if (const auto* table = std::get_if<protocol::TableTarget>(&target)) {
    ARROW_RETURN_NOT_OK(call_.caller().Require(auth::Right::kRead, table->table.ToString()));
    DescribeTable({table->table.namespace_name, table->table.name}, as_of);
  } else {
    return Error(
        ErrorCode::kInvalidRequest,
        "the path 'streaming_write' is for writing; a table to be read is named by itself, "
        "such as ['sales', 'orders']");
  }
  return Status::OK();
}

void DescribeCall::DescribeTable(iceberg::TableIdentifier table, query::AsOf as_of) {
  Aside<Result<std::string>>(
      context_.reads,
      [&reads = context_.reads, principal = call_.caller().principal(), kind = answer_,
       table = std::move(table), as_of] {
        return AnswerOf(kind, kind == Kind::kSchema ? TableListing(reads.source, table, as_of)
                                                    : TableInfo(reads, principal, table, as_of));
      },
      [this](Result<std::string> message) { Write(message); });
}

Status DescribeCall::DescribeCommand(const std::string& command, const query::AsOf& as_of) {
  auto asked = flight_sql::Unwrap(command);
  SqlSession session{context_.engine,
                     context_.reads,
                     context_.statements,
                     context_.options,
                     call_.shared_caller(),
                     context_.default_namespace,
                     as_of};
  if (!asked) return DescribeQuery(std::move(session), command);
  if (!flight_sql::IsMetadataCommand(*asked)) {
    ARROW_ASSIGN_OR_RAISE(auto statement, StatementOf(session, *asked));
    return DescribeStatement(std::move(session), std::move(statement), command);
  }
  if (!as_of.is_now()) {
    return Error(ErrorCode::kUnimplemented, "what there is to query is told as of now: leave out ",
                 kAsOfSnapshotHeader, " and ", kAsOfLsnHeader);
  }
  Aside<Result<std::string>>(
      context_.reads,
      [&reads = context_.reads, caller = call_.shared_caller(), kind = answer_, command,
       asked = *std::move(asked),
       context =
           flight_sql::MetadataContext{context_.reads.source, context_.default_namespace,
                                       context_.engine.status().version,
                                       [caller = call_.shared_caller()](const std::string& table) {
                                         return caller->May(auth::Right::kRead, table);
                                       }}] {
        return AnswerOf(kind, MetadataInfo(reads, caller->principal(), context, command, asked));
      },
      [this](Result<std::string> message) { Write(message); });
  return Status::OK();
}

// A command that is no message of Flight SQL is the text of a query.
Status DescribeCall::DescribeQuery(SqlSession session, const std::string& text) {
  if (!flight_sql::IsInsert(text)) {
    return DescribeStatement(std::move(session), {text, nullptr}, text);
  }
  return Error(ErrorCode::kInvalidRequest,
               "only one SELECT statement is answered here: rows are written by DoExchange, DoPut "
               "or Flight SQL's statements");
}

Status DescribeCall::DescribeStatement(SqlSession session, flight_sql::PreparedStatement statement,
                                       const std::string& command) {
  ARROW_ASSIGN_OR_RAISE(query::SqlQueries * queries, context_.reads.sql());
  AsideBy<Result<std::string>>(
      [queries](std::function<void()> task) { queries->Run(std::move(task)); },
      [session = std::move(session), statement = std::move(statement), kind = answer_, command] {
        return AnswerOf(kind, StatementInfo(session, statement, command, kind == Kind::kSchema));
      },
      [this](Result<std::string> message) { Write(message); });
  return Status::OK();
}

void DescribeCall::Write(const Result<std::string>& message) {
  if (message.ok()) call_.Write({arrow::Buffer::FromString(*message)});
  Finish(message.status());
}

Status ListFlightsCall::Begin(const arrow::Buffer& request) {
  messages::Criteria criteria;
  if (!criteria.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return Error(ErrorCode::kInvalidRequest, "the Criteria does not parse");
  }
  using Tables = Result<std::vector<iceberg::TableIdentifier>>;
  Aside<Tables>(
      context_.reads, [&catalog = context_.reads.source.catalog] { return catalog.ListTables(); },
      [this, wanted = criteria.expression()](Tables tables) {
        if (!tables.ok()) return Finish(tables.status());
        for (auto& table : *tables) {
          const std::string name = table.ToString();
          if (!MatchesCriteria(name, wanted)) continue;
          if (call_.caller().May(auth::Right::kRead, name)) tables_.push_back(std::move(table));
        }
        ListNext();
      });
  return Status::OK();
}

void ListFlightsCall::OnWritable() {
  if (std::exchange(waits_, false)) ListNext();
}

void ListFlightsCall::ListNext() {
  if (tables_.empty()) return Finish(Status::OK());
  using Info = Result<messages::FlightInfo>;
  Aside<Info>(
      context_.reads,
      [&reads = context_.reads, table = tables_.front()] {
        return TableListing(reads.source, table);
      },
      [this](Info info) {
        tables_.pop_front();
        // One that was dropped since is not listed.
        if (!info.ok() && CodeOf(info.status()) != ErrorCode::kNotFound) {
          return Finish(info.status());
        }
        if (info.ok()) call_.Write({arrow::Buffer::FromString(info->SerializeAsString())});
        waits_ = call_.queued_bytes() > kMaxQueuedBytes;
        if (!waits_) ListNext();
      });
}

bool MatchesCriteria(std::string_view name, std::string_view criteria) {
  if (criteria.find_first_of("*?") == std::string_view::npos) return name.starts_with(criteria);
  return MatchesGlob(name, criteria);
}

}  // namespace arka::flight

// The calls that say what can be read: GetFlightInfo, PollFlightInfo, GetSchema, ListFlights.
//
// The status is described at once; tables are looked up on the threads for reads.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "arka/flight/sql_session.h"
#include "arka/flight/unary_call.h"
#include "arka/flight_sql/prepared_statements.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/engine.h"

namespace arka::flight {

/// What the calls of this file need; what it refers to must outlive them.
struct DescribeContext {
  transport::ServerCall& call;
  ingest::Engine& engine;
  query::TableReads& reads;
  const std::string default_namespace;  // of the client's session, where that has one
  flight_sql::PreparedStatements& statements;
  const WriteStreamOptions& options;
};

/// One descriptor in, one answer out: what kind of answer is the method's.
class DescribeCall : public UnaryCall {
 public:
  enum class Answer : uint8_t { kFlightInfo, kPollInfo, kSchema };

  DescribeCall(const DescribeContext& context, Answer answer)
      : UnaryCall(context.call), context_(context), answer_(answer) {}

 protected:
  Status Begin(const arrow::Buffer& request) override;

 private:
  void DescribeTable(iceberg::TableIdentifier table, query::AsOf as_of);
  Status DescribeCommand(const std::string& command, const query::AsOf& as_of);
  Status DescribeQuery(SqlSession session, const std::string& text);
  Status DescribeStatement(SqlSession session, flight_sql::PreparedStatement statement,
                           const std::string& command);
  void Write(const Result<std::string>& message);

  const DescribeContext context_;
  const Answer answer_;
};

/// One FlightInfo for each table whose name matches: without endpoints, GetFlightInfo has them.
class ListFlightsCall : public UnaryCall {
 public:
  explicit ListFlightsCall(const DescribeContext& context)
      : UnaryCall(context.call), context_(context) {}

  void OnWritable() override;

 protected:
  Status Begin(const arrow::Buffer& request) override;

 private:
  void ListNext();

  const DescribeContext context_;
  std::deque<iceberg::TableIdentifier> tables_;  // still to be listed
  bool waits_ = false;                           // for the peer to take what is queued
};

/// Whether `name` is what `criteria` asks for: all of it with '*' and '?' for any characters, or
/// its beginning where there are none.
bool MatchesCriteria(std::string_view name, std::string_view criteria);

}  // namespace arka::flight

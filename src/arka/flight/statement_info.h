// FlightInfo of statements, and what is told of one that is prepared.
#pragma once

#include <memory>
#include <string>

#include "arka/flight/flight.pb.h"
#include "arka/flight/sql_session.h"
#include "arka/flight_sql/any_message.h"

namespace arka::flight {

/// The statement that a CommandStatementQuery or CommandPreparedStatementQuery asks for; the latter
/// with the values bound to it. kUnimplemented for any other command, and for transactions.
Result<flight_sql::PreparedStatement> StatementOf(const SqlSession& session,
                                                  const flight_sql::AnyMessage& command);

/// A query's has a ticket, each read of which runs it. An INSERT is run now, and its ticket leads
/// to the number of rows. Where `schema_only` neither is run nor has a ticket. `command` goes into
/// the descriptor. Blocks: run it by SqlQueries::Run, as the next.
Result<::arrow::flight::protocol::FlightInfo> StatementInfo(
    const SqlSession& session, const flight_sql::PreparedStatement& statement,
    const std::string& command, bool schema_only);

/// The serialized ActionCreatePreparedStatementResult of `sql`, in its Any.
Result<std::string> PrepareStatement(const SqlSession& session, const std::string& sql);

}  // namespace arka::flight

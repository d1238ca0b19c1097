// FlightInfo messages: of the server's status, and of tables.
#pragma once

#include <memory>
#include <string>

#include "arka/auth/caller.h"
#include "arka/base/error.h"
#include "arka/flight/flight.pb.h"
#include "arka/flight_sql/metadata_commands.h"
#include "arka/iceberg/identifier.h"
#include "arka/ingest/engine.h"
#include "arka/protocol/server_status.h"
#include "arka/query/table_reads.h"

namespace arka::flight {

/// The engine's status, of the tables those that the caller may read.
protocol::ServerStatus VisibleStatus(const ingest::Engine& engine, const auth::Caller& caller);

/// The schema as FlightInfo and SchemaResult carry it: an encapsulated IPC message.
Result<std::string> SerializedSchema(const arrow::Schema& schema);

/// With the status as JSON in app_metadata, and a ticket for it as a table.
Result<::arrow::flight::protocol::FlightInfo> StatusInfo(const protocol::ServerStatus& status);

/// Holds `result`, and gives `principal` a ticket for each of its parts.
void AddEndpoints(query::ResultRegistry& results, const std::string& principal,
                  std::shared_ptr<query::HeldResult> result, size_t parts,
                  ::arrow::flight::protocol::FlightInfo& info);

void SetTime(WallTime time, ::arrow::flight::protocol::Timestamp& timestamp);

/// Of a table as it is now, or was: takes a snapshot, and gives `principal` a ticket for each of
/// its parts. Blocks; errors as query::TakeSnapshot.
Result<::arrow::flight::protocol::FlightInfo> TableInfo(query::TableReads& reads,
                                                        const std::string& principal,
                                                        const iceberg::TableIdentifier& table,
                                                        const query::AsOf& as_of);

/// Of the answer to a metadata command of Flight SQL, which `command` is in its descriptor. Blocks;
/// errors as flight_sql::AnswerMetadata.
Result<::arrow::flight::protocol::FlightInfo> MetadataInfo(
    query::TableReads& reads, const std::string& principal,
    const flight_sql::MetadataContext& context, const std::string& command,
    const flight_sql::AnyMessage& asked);

/// Of a table without anything to be read: name and schema only, as they are or were.
Result<::arrow::flight::protocol::FlightInfo> TableListing(const query::ReadSource& source,
                                                           const iceberg::TableIdentifier& table,
                                                           const query::AsOf& as_of = {});

}  // namespace arka::flight

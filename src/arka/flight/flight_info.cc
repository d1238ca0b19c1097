#include "arka/flight/flight_info.h"

#include <chrono>
#include <utility>
#include <vector>

#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include "arka/lake/arrow_schema.h"
#include "arka/protocol/descriptor.h"
#include "arka/query/batch_result.h"
#include "arka/query/table_result.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

namespace {

constexpr int64_t kPartBytes = 16 << 20;  // of data files, for one endpoint
constexpr size_t kMaxParts = 16;
constexpr int64_t kUnknown = -1;

void NameTable(const iceberg::TableIdentifier& table, messages::FlightInfo& info) {
  auto& descriptor = *info.mutable_flight_descriptor();
  descriptor.set_type(messages::FlightDescriptor::PATH);
  descriptor.add_path(table.namespace_name);
  descriptor.add_path(table.name);
}

}  // namespace

void SetTime(WallTime time, messages::Timestamp& timestamp) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  timestamp.set_seconds(seconds.count());
  timestamp.set_nanos(static_cast<int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch() - seconds)
          .count()));
}

protocol::ServerStatus VisibleStatus(const ingest::Engine& engine, const auth::Caller& caller) {
  auto status = engine.status();
  std::erase_if(status.tables,
                [&](const auto& table) { return !caller.May(auth::Right::kRead, table.name); });
  return status;
}

Result<std::string> SerializedSchema(const arrow::Schema& schema) {
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(schema));
  return message->ToString();
}

Result<messages::FlightInfo> StatusInfo(const protocol::ServerStatus& status) {
  ARROW_ASSIGN_OR_RAISE(const auto batch, protocol::ToRecordBatch(status));
  messages::FlightInfo info;
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*batch->schema()));
  info.mutable_flight_descriptor()->set_type(messages::FlightDescriptor::PATH);
  info.mutable_flight_descriptor()->add_path(std::string(protocol::kStatusPath));
  info.add_endpoint()->mutable_ticket()->set_ticket(std::string(protocol::kStatusPath));
  info.set_total_records(1);
  info.set_total_bytes(kUnknown);
  info.set_app_metadata(protocol::ToJson(status));
  return info;
}

void AddEndpoints(query::ResultRegistry& results, const std::string& principal,
                  std::shared_ptr<query::HeldResult> result, size_t parts,
                  messages::FlightInfo& info) {
  for (std::string& ticket : results.Hold(principal, std::move(result), parts)) {
    auto& endpoint = *info.add_endpoint();
    endpoint.mutable_ticket()->set_ticket(std::move(ticket));
    SetTime(results.expiration(), *endpoint.mutable_expiration_time());
  }
}

Result<messages::FlightInfo> TableInfo(query::TableReads& reads, const std::string& principal,
                                       const iceberg::TableIdentifier& table,
                                       const query::AsOf& as_of) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, query::TakeSnapshot(reads.source, table, as_of));
  messages::FlightInfo info;
  NameTable(snapshot->identifier, info);
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*snapshot->schema));
  int64_t rows = 0, bytes = 0;
  for (const auto& file : snapshot->files) {
    rows += file.record_count;
    bytes += file.file_size_in_bytes;
  }
  // What the log has is counted by reading it.
  info.set_total_records(snapshot->has_fresh_rows() ? kUnknown : rows);
  info.set_total_bytes(snapshot->has_fresh_rows() ? kUnknown : bytes);
  auto parts = query::PartsOf(*snapshot, kPartBytes, kMaxParts);
  const size_t count = parts.size();
  auto result = std::make_shared<query::TableResult>(reads.source, snapshot, std::move(parts));
  AddEndpoints(reads.results, principal, std::move(result), count, info);
  return info;
}

Result<messages::FlightInfo> MetadataInfo(query::TableReads& reads, const std::string& principal,
                                          const flight_sql::MetadataContext& context,
                                          const std::string& command,
                                          const flight_sql::AnyMessage& asked) {
  ARROW_ASSIGN_OR_RAISE(auto answer, flight_sql::AnswerMetadata(context, asked));
  messages::FlightInfo info;
  info.mutable_flight_descriptor()->set_type(messages::FlightDescriptor::CMD);
  info.mutable_flight_descriptor()->set_cmd(command);
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*answer->schema()));
  info.set_total_records(answer->num_rows());
  info.set_total_bytes(kUnknown);
  AddEndpoints(reads.results, principal, std::make_shared<query::BatchResult>(std::move(answer)), 1,
               info);
  return info;
}

Result<messages::FlightInfo> TableListing(const query::ReadSource& source,
                                          const iceberg::TableIdentifier& table,
                                          const query::AsOf& as_of) {
  messages::FlightInfo info;
  NameTable(table, info);
  std::shared_ptr<arrow::Schema> schema;
  if (as_of.is_now()) {
    ARROW_ASSIGN_OR_RAISE(const auto loaded, query::LoadTable(source, table));
    schema = lake::ArrowSchemaOf(*loaded.metadata->current_schema());
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, query::TakeSnapshot(source, table, as_of));
    schema = snapshot->schema;
  }
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*schema));
  info.set_total_records(kUnknown);
  info.set_total_bytes(kUnknown);
  return info;
}

}  // namespace arka::flight

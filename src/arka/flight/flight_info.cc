#include "arka/flight/flight_info.h"

#include <chrono>
#include <utility>
#include <vector>

#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include "arka/lake/arrow_schema.h"
#include "arka/protocol/descriptor.h"

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

void SetTime(WallTime time, messages::Timestamp& timestamp) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  timestamp.set_seconds(seconds.count());
  timestamp.set_nanos(static_cast<int32_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch() - seconds)
          .count()));
}

}  // namespace

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

Result<messages::FlightInfo> TableInfo(query::TableReads& reads, const std::string& principal,
                                       const iceberg::TableIdentifier& table) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, query::TakeSnapshot(reads.source, table));
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
  for (std::string& ticket : reads.snapshots.Hold(
           principal, snapshot, query::PartsOf(*snapshot, kPartBytes, kMaxParts))) {
    auto& endpoint = *info.add_endpoint();
    endpoint.mutable_ticket()->set_ticket(std::move(ticket));
    SetTime(reads.snapshots.expiration(), *endpoint.mutable_expiration_time());
  }
  return info;
}

Result<messages::FlightInfo> TableListing(const query::ReadSource& source,
                                          const iceberg::TableIdentifier& table) {
  ARROW_ASSIGN_OR_RAISE(const auto loaded, query::LoadTable(source, table));
  messages::FlightInfo info;
  NameTable(table, info);
  const auto schema = lake::ArrowSchemaOf(*loaded.metadata->current_schema());
  ARROW_ASSIGN_OR_RAISE(*info.mutable_schema(), SerializedSchema(*schema));
  info.set_total_records(kUnknown);
  info.set_total_bytes(kUnknown);
  return info;
}

}  // namespace arka::flight

#include "arka_client/client.h"

#include "status.h"
#include "stream_parts.h"

#include <algorithm>
#include <utility>

#include <arrow/scalar.h>

#include "arka/protocol/table_name.h"
#include "arka/protocol/write_headers.h"

namespace arka::client {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

namespace {

Deadline UntilOf(const ClientOptions& options, Timeout timeout) {
  return After(timeout.value_or(options.deadline));
}

// Where a table lies that is named without a namespace is for the server to say.
Status CheckTable(const std::string& table) {
  return FromCaller(protocol::ParseTableName({table}, "").status());
}

Status CheckName(std::string_view what, const std::string& name) {
  if (protocol::IsClientName(name)) return Status::OK();
  return Failure(Code::kInvalidArgument, what, " '", name,
                 "': expected 1 to 128 printable characters");
}

struct Claim {
  int64_t last_seq = 0;
  Lsn lsn = kNoLsn;  // of last_seq
  int64_t epoch = 0;
};

// Takes a producer's name over from the program that had it, once, and learns where that was.
Result<Claim> ClaimProducer(Endpoint& endpoint, const std::string& producer,
                            const std::string& table, Deadline until) {
  const nlohmann::json body = {{"producer", producer}, {"table", table}};
  const auto ask = [&](const char* action) -> Result<nlohmann::json> {
    ARROW_ASSIGN_OR_RAISE(auto answers, endpoint.RetriedAction(action, body, until));
    if (!NumberIn(answers.front(), "last_seq")) {
      return Violation(action, " answered ", answers.front().dump());
    }
    return std::move(answers.front());
  };
  ARROW_ASSIGN_OR_RAISE(nlohmann::json answer, ask("claim_producer"));
  const auto epoch = NumberIn(answer, "epoch");
  if (!epoch) return Violation("claim_producer answered ", answer.dump());
  if (*NumberIn(answer, "last_seq") > 0) {
    // What is there may be in memory only. A crash would take it, and leave a gap below the numbers
    // of this stream that nobody could fill. If one came in between, the answer is another.
    const nlohmann::json flush = {{"table", table}, {"level", TierName(Tier::kLocalDisk)}};
    ARROW_RETURN_NOT_OK(endpoint.RetriedAction("flush", flush, until).status());
    ARROW_ASSIGN_OR_RAISE(answer, ask("last_seq"));
  }
  return Claim{*NumberIn(answer, "last_seq"), Lsn{NumberIn(answer, "lsn").value_or(kNoLsn.value)},
               *epoch};
}

}  // namespace

Client::Client(std::shared_ptr<Endpoint> endpoint, ClientOptions options)
    : endpoint_(std::move(endpoint)), options_(std::move(options)) {}

Result<std::unique_ptr<Client>> Client::Connect(const std::string& url, ClientOptions options) {
  if (options.session.empty()) options.session = "arka-cpp-" + RandomName();
  ARROW_RETURN_NOT_OK(CheckName("session", options.session));
  ARROW_ASSIGN_OR_RAISE(auto endpoint, Endpoint::Make(url, options));
  return std::unique_ptr<Client>(new Client(std::move(endpoint), std::move(options)));
}

Result<std::unique_ptr<Stream>> Client::Open(const std::string& table, StreamOptions options) {
  ARROW_RETURN_NOT_OK(CheckTable(table));
  const auto deadline = Bounded(options.deadline.value_or(options_.deadline));
  const Deadline until = After(deadline);
  Claim claim;
  if (options.producer.empty()) {
    options.producer = "arka-cpp-" + RandomName();
  } else {
    ARROW_RETURN_NOT_OK(CheckName("producer", options.producer));
    ARROW_ASSIGN_OR_RAISE(claim, ClaimProducer(*endpoint_, options.producer, table, until));
  }
  if (options.session.empty()) options.session = options_.session;
  ARROW_RETURN_NOT_OK(CheckName("session", options.session));

  auto parts = std::make_unique<StreamParts>();
  parts->table = table;
  parts->producer = options.producer;
  parts->session = options.session;
  parts->endpoint = endpoint_;
  parts->outbox =
      std::make_shared<Outbox>(Ledger(claim.last_seq, claim.lsn),
                               OutboxOptions{options.budget_bytes.value_or(options_.budget_bytes),
                                             deadline, options.on_ack != nullptr, options.schema});
  parts->courier =
      std::make_shared<Courier>(endpoint_, parts->outbox,
                                CourierOptions{table, options.producer, options.session,
                                               claim.epoch, deadline, options.schema != nullptr});
  if (options.on_ack) parts->teller = std::make_unique<Teller>(parts->outbox, options.on_ack);
  Courier::Start(parts->courier);
  const std::shared_ptr<Courier> courier = parts->courier;
  std::unique_ptr<Stream> stream(new Stream(std::move(parts)));
  if (options.schema) {
    // The courier itself says what it tried when the deadline passes.
    ARROW_RETURN_NOT_OK(courier->AwaitOpened(until + std::chrono::seconds(5)));
  }
  return stream;
}

Result<Lsn> Client::Flush(Tier level, const std::string& table, Timeout timeout) {
  nlohmann::json body = {{"level", TierName(level)}};
  if (!table.empty()) body["table"] = table;
  ARROW_ASSIGN_OR_RAISE(const auto answers,
                        endpoint_->RetriedAction("flush", body, UntilOf(options_, timeout)));
  return Lsn{NumberIn(answers.front(), "lsn").value_or(kNoLsn.value)};
}

Result<ServerStatus> Client::GetStatus(Timeout timeout) {
  ARROW_ASSIGN_OR_RAISE(
      const auto answers,
      endpoint_->RetriedAction("status", nlohmann::json::object(), UntilOf(options_, timeout)));
  const nlohmann::json& answer = answers.front();
  const auto lsn = [&](const char* key) {
    return Lsn{NumberIn(answer, key).value_or(kNoLsn.value)};
  };
  ServerStatus status;
  status.version = TextIn(answer, "version");
  status.node = TextIn(answer, "node");
  status.problem = TextIn(answer, "problem");
  if (const auto found = answer.find("ready"); found != answer.end() && found->is_boolean()) {
    status.ready = found->get<bool>();
  }
  if (const auto found = answer.find("lag_seconds"); found != answer.end() && found->is_number()) {
    status.lag_seconds = found->get<double>();
  }
  status.watermarks = {lsn("last_lsn"), lsn("disk_lsn"), lsn("s3_lsn"), lsn("committed_lsn")};
  status.json = answer.dump();
  return status;
}

namespace {

// Microseconds since 1970 of a time as protocol::IsoTime writes it; 0 where it is none.
int64_t MicrosecondsOf(const std::string& text) {
  const auto time = arrow::Scalar::Parse(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), text);
  if (!time.ok()) return 0;
  return static_cast<const arrow::TimestampScalar&>(**time).value;
}

}  // namespace

Result<DurabilityStatus> Client::GetDurabilityStatus(std::optional<Lsn> last_known_lsn,
                                                     const std::string& session, Timeout timeout) {
  nlohmann::json body = {{"session", session.empty() ? options_.session : session}};
  if (last_known_lsn) body["after_lsn"] = last_known_lsn->value;
  ARROW_ASSIGN_OR_RAISE(const auto answers, endpoint_->RetriedAction("durability_status", body,
                                                                     UntilOf(options_, timeout)));
  DurabilityStatus status;
  for (const nlohmann::json& answer : answers) {
    if (const auto lsn = NumberIn(answer, "forgotten_through"))
      status.forgotten_through = Lsn{*lsn};
    const auto events = answer.find("events");
    if (events == answer.end() || !events->is_array()) {
      return Violation("durability_status answered ", answer.dump());
    }
    for (const nlohmann::json& event : *events) {
      const auto lsn = NumberIn(event, "lsn");
      const auto level = ParseTier(TextIn(event, "durability_level"));
      if (!lsn || !level) return Violation("durability_status answered ", event.dump());
      status.events.push_back({Lsn{*lsn}, *level, 0, MicrosecondsOf(TextIn(event, "timestamp")),
                               NumberIn(event, "snapshot_id").value_or(0)});
    }
  }
  return status;
}

Result<std::optional<Tier>> Client::GetLevel(Lsn lsn, Timeout timeout) {
  const nlohmann::json body = {{"lsns", {lsn.value}}};
  ARROW_ASSIGN_OR_RAISE(const auto answers, endpoint_->RetriedAction("durability_status", body,
                                                                     UntilOf(options_, timeout)));
  const auto levels = answers.front().find("levels");
  if (levels == answers.front().end() || !levels->is_array() || levels->size() != 1) {
    return Violation("durability_status answered ", answers.front().dump());
  }
  const nlohmann::json& answer = levels->front();
  const auto level = ParseTier(TextIn(answer, "durability_level"));
  if (!level && answer.value("lost", nlohmann::json()) != true) {
    return Violation("durability_status answered ", answer.dump());
  }
  return level;
}

Result<std::shared_ptr<arrow::Schema>> Client::GetSchema(const std::string& table,
                                                         Timeout timeout) {
  ARROW_RETURN_NOT_OK(CheckTable(table));
  const auto descriptor = flight::FlightDescriptor::Path({table});
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(endpoint_->Retried(
      UntilOf(options_, timeout),
      [&](flight::FlightClient& client, const flight::FlightCallOptions& options) -> Status {
        ARROW_ASSIGN_OR_RAISE(const auto answer, client.GetSchema(options, descriptor));
        arrow::ipc::DictionaryMemo memo;
        return answer->GetSchema(&memo).Value(&schema);
      }));
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) fields.push_back(field->RemoveMetadata());
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::Table>> Client::Query(const std::string& sql, Timeout timeout) {
  const auto descriptor = flight::FlightDescriptor::Command(sql);
  const Deadline until = UntilOf(options_, timeout);
  std::shared_ptr<arrow::Table> table;
  ARROW_RETURN_NOT_OK(endpoint_->Retried(
      until, [&](flight::FlightClient& client, flight::FlightCallOptions options) -> Status {
        ARROW_ASSIGN_OR_RAISE(const auto info, client.GetFlightInfo(options, descriptor));
        if (info->endpoints().size() != 1) {
          return Violation("a query has ", info->endpoints().size(), " endpoints");
        }
        options.timeout = Left(until);
        ARROW_ASSIGN_OR_RAISE(const auto rows, client.DoGet(options, info->endpoints()[0].ticket));
        return rows->ToTable().Value(&table);
      }));
  return table;
}

}  // namespace arka::client

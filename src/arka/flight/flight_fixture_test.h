// The Flight service over an engine in memory, and a client that writes to it: for the tests of
// this layer. The event loop is driven by hand, so a test sees every state in between.
#pragma once

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <arrow/ipc/dictionary.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "arka/flight/flight.pb.h"
#include "arka/flight/flight_service.h"
#include "arka/ingest/deployment_test.h"
#include "arka/protocol/flight_data.h"
#include "arka/transport/in_process.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

inline constexpr char kDoExchange[] = "/arrow.flight.protocol.FlightService/DoExchange";

inline std::string PathDescriptor(const std::vector<std::string>& path) {
  messages::FlightDescriptor descriptor;
  descriptor.set_type(messages::FlightDescriptor::PATH);
  for (const auto& part : path) descriptor.add_path(part);
  return descriptor.SerializeAsString();
}

inline constexpr char kDoPut[] = "/arrow.flight.protocol.FlightService/DoPut";
inline constexpr char kDoAction[] = "/arrow.flight.protocol.FlightService/DoAction";

/// A FlightData message of a descriptor ("": none), an IPC message (nullptr: none) and app_metadata
/// ("": none).
inline std::string FlightMessage(const std::string& descriptor,
                                 const arrow::ipc::IpcPayload* payload,
                                 const std::string& app_metadata = "") {
  std::string message;
  if (!app_metadata.empty()) {
    message += '\x1a';
    size_t size = app_metadata.size();
    for (; size >= 0x80; size >>= 7) message += static_cast<char>(size | 0x80);
    message += static_cast<char>(size);
    message += app_metadata;
  }
  if (!descriptor.empty()) {
    message += '\x0a';
    EXPECT_LT(descriptor.size(), 128u);
    message += static_cast<char>(descriptor.size());
    message += descriptor;
  }
  if (payload == nullptr) return message;
  for (const auto& part : protocol::EncodeFlightData(*payload)) message += part->ToString();
  return message;
}

inline arrow::ipc::IpcPayload SchemaPayload(const arrow::Schema& schema) {
  arrow::ipc::IpcPayload payload;
  const arrow::ipc::DictionaryFieldMapper mapper(schema);
  EXPECT_THAT(arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(), mapper,
                                           &payload),
              IsOk());
  return payload;
}

inline arrow::ipc::IpcPayload BatchPayload(const arrow::RecordBatch& batch) {
  arrow::ipc::IpcPayload payload;
  EXPECT_THAT(
      arrow::ipc::GetRecordBatchPayload(batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload),
      IsOk());
  return payload;
}

inline const std::shared_ptr<arrow::Schema>& IdSchema() {
  static const auto schema =
      arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false)});
  return schema;
}

/// Rows first, first + 1, …
inline std::shared_ptr<arrow::RecordBatch> IdBatch(int64_t first, int64_t rows = 1) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_THAT(builder.Append(first + i), IsOk());
  return arrow::RecordBatch::Make(IdSchema(), rows, {builder.Finish().ValueOrDie()});
}

/// One message that the server sent, as a record batch; nullptr for a schema.
inline std::shared_ptr<arrow::RecordBatch> ReadBatch(const std::shared_ptr<arrow::Buffer>& message,
                                                     const std::shared_ptr<arrow::Schema>& schema) {
  const auto data = protocol::ParseFlightData(message).ValueOrDie();
  auto body = data.data_body != nullptr ? data.data_body : std::make_shared<arrow::Buffer>("");
  const auto ipc = arrow::ipc::Message::Open(data.data_header, body).ValueOrDie();
  if (ipc->type() == arrow::ipc::MessageType::SCHEMA) {
    arrow::ipc::DictionaryMemo memo;
    EXPECT_TRUE(arrow::ipc::ReadSchema(*ipc, &memo).ValueOrDie()->Equals(*schema));
    return nullptr;
  }
  return arrow::ipc::ReadRecordBatch(*ipc, schema, nullptr, arrow::ipc::IpcReadOptions::Defaults())
      .ValueOrDie();
}

/// What a client of a writing stream sends.
class Sender {
 public:
  explicit Sender(std::unique_ptr<transport::InProcessCall> opened) : call(std::move(opened)) {}

  void SendDescriptor(const std::vector<std::string>& path) {
    call->Send(FlightMessage(PathDescriptor(path), nullptr));
  }
  void SendSchema(const arrow::Schema& schema, const std::vector<std::string>& path = {}) {
    const auto payload = SchemaPayload(schema);
    call->Send(FlightMessage(path.empty() ? "" : PathDescriptor(path), &payload));
  }
  void SendBatch(const arrow::RecordBatch& batch) {
    const auto payload = BatchPayload(batch);
    call->Send(FlightMessage("", &payload));
  }
  void SendIds(int64_t first, int64_t rows = 1) { SendBatch(*IdBatch(first, rows)); }
  /// One row with that id.
  void SendWithMetadata(int64_t id, const std::string& app_metadata) {
    const auto payload = BatchPayload(*IdBatch(id));
    call->Send(FlightMessage("", &payload, app_metadata));
  }
  /// One row whose id is its seq.
  void SendSeq(int64_t seq) { SendWithMetadata(seq, "{\"seq\": " + std::to_string(seq) + "}"); }

  transport::GrpcCode code() const { return call->status()->code; }
  std::string message() const { return call->status()->message; }
  std::string retryable() const {
    return std::string(
        transport::Find(call->status()->trailers, protocol::kRetryableTrailer).value_or("none"));
  }

  std::unique_ptr<transport::InProcessCall> call;
};

/// A client of one DoExchange.
class Writer : public Sender {
 public:
  using Sender::Sender;

  /// Reads what has come.
  void Collect() {
    while (const auto message = call->TakeMessage()) {
      const auto batch = ReadBatch(message, protocol::AckSchema());
      if (batch == nullptr) {
        ++schemas;
        continue;
      }
      EXPECT_EQ(schemas, 1) << "acks before the ack schema";
      const auto contents = protocol::ReadAckBatch(*batch).ValueOrDie();
      acks.insert(acks.end(), contents.rows.begin(), contents.rows.end());
      watermarks.insert(watermarks.end(), contents.watermarks.begin(), contents.watermarks.end());
    }
  }

  std::vector<Lsn> LsnsAt(Tier tier) {
    Collect();
    std::vector<Lsn> lsns;
    for (const auto& ack : acks) {
      if (ack.tier == tier) lsns.push_back(ack.first);
    }
    return lsns;
  }
  bool Ended() {
    Collect();
    return call->status().has_value();
  }

  int schemas = 0;
  std::vector<protocol::AckRun> acks;
  std::vector<protocol::Watermarks> watermarks;
};

/// A client of one DoPut.
class Putter : public Sender {
 public:
  using Sender::Sender;

  /// The LSNs of the PutResults so far. All must be of `level`.
  const std::vector<int64_t>& Lsns(Tier level = Tier::kLocalDisk) {
    while (const auto message = call->TakeMessage()) {
      messages::PutResult result;
      EXPECT_TRUE(result.ParseFromArray(message->data(), static_cast<int>(message->size())));
      const auto metadata = nlohmann::json::parse(result.app_metadata());
      EXPECT_EQ(metadata.size(), 2u) << metadata;
      EXPECT_EQ(metadata.at("durability_level"), TierName(level));
      lsns_.push_back(metadata.at("lsn"));
    }
    return lsns_;
  }
  bool Ended(Tier level = Tier::kLocalDisk) {
    Lsns(level);
    return call->status().has_value();
  }

 private:
  std::vector<int64_t> lsns_;
};

/// A client of one DoAction.
class Asker {
 public:
  Asker(std::unique_ptr<transport::InProcessCall> opened, const std::string& type,
        const std::string& body)
      : call(std::move(opened)) {
    messages::Action action;
    action.set_type(type);
    action.set_body(body);
    call->Send(action.SerializeAsString());
    call->HalfClose();
  }

  bool Ended() {
    while (const auto message = call->TakeMessage()) {
      messages::Result result;
      EXPECT_TRUE(result.ParseFromArray(message->data(), static_cast<int>(message->size())));
      results.push_back(nlohmann::json::parse(result.body()));
    }
    return call->status().has_value();
  }
  transport::GrpcCode code() const { return call->status()->code; }
  std::string message() const { return call->status()->message; }
  /// The events of all results so far, each as (LSN, level).
  std::vector<std::pair<int64_t, std::string>> Events() {
    Ended();
    std::vector<std::pair<int64_t, std::string>> events;
    for (const auto& result : results) {
      for (const auto& event : result.at("events")) {
        events.emplace_back(event.at("lsn"), event.at("durability_level"));
      }
    }
    return events;
  }

  std::unique_ptr<transport::InProcessCall> call;
  std::vector<nlohmann::json> results;
};

/// A running server without sockets. Change deployment and options before Start.
class FlightFixture {
 public:
  ~FlightFixture() { Stop(); }

  void Start() {
    engine = deployment.MakeEngine().ValueOrDie();
    reads = std::make_unique<query::TableReads>(
        query::ReadSource{*engine, deployment.catalog, deployment.warehouse,
                          deployment.options.node},
        deployment.clock, random_);
    service_ = std::make_unique<FlightService>(*engine, *reads, deployment.clock, random_, options);
    spy_.inner = service_.get();
    transport = transport::InProcessTransport::Make(spy_, deployment.clock);
    service_->Bind({&transport->loop()});
    engine->Start();
  }
  /// As the composition root does it: what posts to the loop ends before the loop.
  void Stop() {
    reads.reset();
    engine.reset();
    transport.reset();
    service_.reset();
  }

  void RunLoop() { transport->RunUntilIdle(); }
  /// Runs the loop and lets simulated time pass until `done`.
  [[nodiscard]] bool Await(const std::function<bool()>& done) {
    return deployment.PassTimeUntil(
        [&] {
          RunLoop();
          return done();
        },
        waiting_loops);
  }

  Writer Open(transport::Metadata metadata = {}) {
    return Writer(transport->Open(kDoExchange, std::move(metadata)));
  }
  /// A stream into sales.orders whose schema has been sent.
  Writer OpenOrders(transport::Metadata metadata = {}) {
    Writer writer = Open(std::move(metadata));
    writer.SendSchema(*IdSchema(), {"streaming_write", "sales", "orders"});
    return writer;
  }
  /// The same of a producer.
  Writer OpenProducer(const std::string& name, transport::Metadata metadata = {}) {
    metadata.emplace_back(protocol::kProducerHeader, name);
    return OpenOrders(std::move(metadata));
  }
  /// A DoPut to that path whose schema has been sent.
  Putter OpenPut(const std::vector<std::string>& path, transport::Metadata metadata = {}) {
    Putter putter(transport->Open(kDoPut, std::move(metadata)));
    putter.SendSchema(*IdSchema(), path);
    return putter;
  }
  Asker Ask(const std::string& type, const std::string& body) {
    return Asker(transport->Open(kDoAction), type, body);
  }
  Lsn last_lsn() const { return engine->progress().watermarks.last_lsn; }
  FlightService& service() { return *service_; }
  /// Calls to come are of `principal`, who may do what `grants` say.
  void CallAs(std::string principal, std::vector<auth::Grant> grants) {
    spy_.caller = std::make_shared<auth::Caller>(
        std::move(principal), std::make_shared<const auth::Grants>(std::move(grants)));
  }
  void CallAsAnyone() { spy_.caller = nullptr; }
  /// The server's side of the call that was opened last.
  transport::ServerCall& last_call() { return *spy_.last_call; }

  /// Time passes only while all loops of the engine wait; a log that has failed has none.
  size_t waiting_loops = 3;

  ingest::Deployment deployment;
  /// No time-outs but where a test wants them: what the engine does aside takes no simulated time,
  /// so that hours may pass meanwhile.
  WriteStreamOptions options = [] {
    WriteStreamOptions made;
    made.admission_timeout = std::chrono::hours(1'000'000);
    made.idle_timeout = std::chrono::milliseconds(0);
    return made;
  }();
  std::unique_ptr<ingest::Engine> engine;
  std::unique_ptr<query::TableReads> reads;
  std::unique_ptr<transport::InProcessTransport> transport;

 private:
  struct Spy : transport::Service {
    std::unique_ptr<transport::CallHandler> Start(transport::ServerCall& call) override {
      last_call = &call;
      if (caller != nullptr) call.SetCaller(caller);
      return inner->Start(call);
    }
    transport::Service* inner = nullptr;
    transport::ServerCall* last_call = nullptr;
    std::shared_ptr<auth::Caller> caller;  // of calls to come; null: anyone
  };

  SeededRandom random_{7};
  std::unique_ptr<FlightService> service_;
  Spy spy_;
};

}  // namespace arka::flight

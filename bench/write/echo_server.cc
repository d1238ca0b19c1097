// The yardstick of `./dev bench write`: Arrow C++'s own Flight server, answering every message of a
// DoExchange with one ack row and doing nothing else: no disk, no table, no threads beyond the one
// that Arrow gives each stream. What it reaches is what a plain Flight service could.
// Prints "echo ready on 127.0.0.1:PORT"; ends on SIGTERM.

#include <chrono>
#include <csignal>
#include <iostream>

#include <arrow/api.h>
#include <arrow/flight/api.h>

namespace {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

std::shared_ptr<arrow::Schema> AckSchema() {
  return arrow::schema(
      {arrow::field("lsn", arrow::int64(), false),
       arrow::field("durability_level", arrow::utf8(), false),
       arrow::field("is_durability_update", arrow::boolean(), false),
       arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false)});
}

Result<std::shared_ptr<arrow::RecordBatch>> OneAck(const std::shared_ptr<arrow::Schema>& schema,
                                                   int64_t lsn) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  arrow::Int64Builder lsns;
  arrow::StringBuilder levels;
  arrow::BooleanBuilder updates;
  arrow::TimestampBuilder times(schema->field(3)->type(), arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(lsns.Append(lsn));
  ARROW_RETURN_NOT_OK(levels.Append("MEMORY"));
  ARROW_RETURN_NOT_OK(updates.Append(false));
  ARROW_RETURN_NOT_OK(
      times.Append(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
  arrow::ArrayVector columns(4);
  ARROW_RETURN_NOT_OK(lsns.Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(levels.Finish(&columns[1]));
  ARROW_RETURN_NOT_OK(updates.Finish(&columns[2]));
  ARROW_RETURN_NOT_OK(times.Finish(&columns[3]));
  return arrow::RecordBatch::Make(schema, 1, std::move(columns));
}

class EchoServer : public flight::FlightServerBase {
 public:
  Status DoExchange(const flight::ServerCallContext& context,
                    std::unique_ptr<flight::FlightMessageReader> reader,
                    std::unique_ptr<flight::FlightMessageWriter> writer) override {
    const auto schema = AckSchema();
    ARROW_RETURN_NOT_OK(writer->Begin(schema));
    for (int64_t lsn = 1000;; ++lsn) {
      ARROW_ASSIGN_OR_RAISE(auto message, reader->Next());
      if (!message.data) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(auto ack, OneAck(schema, lsn));
      ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*ack));
    }
  }
};

Status Serve() {
  EchoServer server;
  ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::ForGrpcTcp("127.0.0.1", 0));
  ARROW_RETURN_NOT_OK(server.Init(flight::FlightServerOptions(location)));
  ARROW_RETURN_NOT_OK(server.SetShutdownOnSignals({SIGTERM, SIGINT}));
  std::cout << "echo ready on 127.0.0.1:" << server.port() << std::endl;
  return server.Serve();
}

}  // namespace

int main() {
  Status status = Serve();
  if (!status.ok()) std::cerr << "echo: " << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}

// A Flight client in C++, on Arrow's own library, for tests/system/test_cpp_client.py: sends
// one-row writes, reads acks until the call ends, and prints as JSON what it was told and how it
// ended.
//
// --end says what happens after the last write: half-close, wait (leave it to the server or to
// --timeout), or cancel (once every write was acknowledged at LOCAL_DISK).
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/api.h>
#include <arrow/flight/client.h>
#include <nlohmann/json.hpp>

namespace arka {
namespace {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

struct Options {
  std::string location;
  std::string table = "from_cpp";
  std::string certificate;  // PEM; trusted instead of the system's
  std::string until = "COMMITTED";
  std::string end = "half-close";
  int64_t writes = 1000;
  double timeout_seconds = 60;
};

// What the server told: acks by level, the LSNs of the first level in their order.
struct Told {
  std::map<std::string, int64_t> acks;
  std::vector<int64_t> lsns;
};

std::shared_ptr<arrow::Schema> WriteSchema() {
  return arrow::schema(
      {arrow::field("number", arrow::int64()), arrow::field("text", arrow::utf8())});
}

Result<std::unique_ptr<flight::FlightClient>> Connect(const Options& options) {
  auto settings = flight::FlightClientOptions::Defaults();
  if (!options.certificate.empty()) {
    std::ifstream file(options.certificate);
    settings.tls_root_certs.assign(std::istreambuf_iterator<char>(file), {});
    if (settings.tls_root_certs.empty()) return Status::IOError("no ", options.certificate);
  }
  ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::Parse(options.location));
  return flight::FlightClient::Connect(location, settings);
}

Status Send(const Options& options, flight::FlightStreamWriter& writer) {
  for (int64_t i = 0; i < options.writes; ++i) {
    arrow::Int64Builder number;
    arrow::StringBuilder text;
    ARROW_RETURN_NOT_OK(number.Append(i));
    ARROW_RETURN_NOT_OK(text.Append("row " + std::to_string(i)));
    ARROW_ASSIGN_OR_RAISE(auto numbers, number.Finish());
    ARROW_ASSIGN_OR_RAISE(auto texts, text.Finish());
    ARROW_RETURN_NOT_OK(
        writer.WriteRecordBatch(*arrow::RecordBatch::Make(WriteSchema(), 1, {numbers, texts})));
  }
  return options.end == "half-close" ? writer.DoneWriting() : Status::OK();
}

Status ReadAcks(const Options& options, flight::FlightStreamReader& reader, Told* told) {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto chunk, reader.Next());
    if (!chunk.data) return Status::OK();
    const auto& lsns = static_cast<const arrow::Int64Array&>(*chunk.data->column(0));
    const auto& levels = static_cast<const arrow::StringArray&>(*chunk.data->column(1));
    for (int64_t row = 0; row < chunk.data->num_rows(); ++row) {
      const std::string level = levels.GetString(row);
      ++told->acks[level];
      if (level == "MEMORY") told->lsns.push_back(lsns.Value(row));
    }
    if (options.end == "cancel" && told->acks["LOCAL_DISK"] == options.writes) reader.Cancel();
  }
}

// Opens the stream and runs it to its end, which is the result; `told` is filled in any case.
Status Run(const Options& options, Told* told) {
  ARROW_ASSIGN_OR_RAISE(auto client, Connect(options));
  flight::FlightCallOptions call;
  call.timeout = flight::TimeoutDuration(options.timeout_seconds);
  call.headers.emplace_back("arka-ack-until", options.until);
  ARROW_ASSIGN_OR_RAISE(
      auto exchange,
      client->DoExchange(call, flight::FlightDescriptor::Path({"streaming_write", options.table})));
  ARROW_RETURN_NOT_OK(exchange.writer->Begin(WriteSchema()));
  Status sent;
  std::jthread sender([&] { sent = Send(options, *exchange.writer); });
  const Status read = ReadAcks(options, *exchange.reader, told);
  sender.join();
  const Status closed = exchange.writer->Close();
  return !read.ok() ? read : !sent.ok() ? sent : closed;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app{"Writes to a Flight server that acknowledges"};
  app.add_option("--location", options.location, "grpc://host:port, grpc+tls://")->required();
  app.add_option("--table", options.table);
  app.add_option("--certificate", options.certificate);
  app.add_option("--until", options.until);
  app.add_option("--end", options.end)->check(CLI::IsMember({"half-close", "wait", "cancel"}));
  app.add_option("--writes", options.writes);
  app.add_option("--timeout", options.timeout_seconds);
  CLI11_PARSE(app, argc, argv);

  Told told;
  const Status end = Run(options, &told);
  std::cout << nlohmann::json{{"acks", told.acks},
                              {"lsns", told.lsns},
                              {"code", end.CodeAsString()},
                              {"message", end.message()}}
            << std::endl;
  return 0;
}

}  // namespace
}  // namespace arka

int main(int argc, char** argv) { return arka::Main(argc, argv); }

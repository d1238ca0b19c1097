#include "write_stream.h"

namespace arka::bench {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

Result<std::shared_ptr<flight::FlightClient>> Connect(int port) {
  auto options = flight::FlightClientOptions::Defaults();
  options.generic_options.emplace_back("grpc.use_local_subchannel_pool", 1);
  ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::ForGrpcTcp("127.0.0.1", port));
  ARROW_ASSIGN_OR_RAISE(auto client, flight::FlightClient::Connect(location, options));
  return std::shared_ptr<flight::FlightClient>(std::move(client));
}

Result<WriteStream> WriteStream::Open(std::shared_ptr<flight::FlightClient> connection,
                                      const ClientOptions& options,
                                      const std::shared_ptr<arrow::Schema>& schema) {
  flight::FlightCallOptions call;
  call.timeout = flight::TimeoutDuration(options.seconds + options.patience.count() +
                                         static_cast<double>(options.writes) / 1000);
  if (options.send_headers) {
    std::string levels;
    for (const std::string& level : options.levels) {
      levels += (levels.empty() ? "" : ",") + level;
    }
    call.headers.emplace_back("arka-acks", levels);
    call.headers.emplace_back("arka-ack-until", options.levels.back());
  }
  ARROW_ASSIGN_OR_RAISE(
      auto exchange, connection->DoExchange(
                         call, flight::FlightDescriptor::Path({"streaming_write", options.table})));
  ARROW_RETURN_NOT_OK(exchange.writer->Begin(schema));
  return WriteStream(std::move(connection), std::move(exchange), AckLedger(options.levels));
}

Result<bool> WriteStream::ReadAcks() {
  ARROW_ASSIGN_OR_RAISE(auto chunk, reader_->Next());
  if (!chunk.data) return false;
  ARROW_RETURN_NOT_OK(ledger_.Observe(*chunk.data, Clock::now()));
  return true;
}

Status WriteStream::ReadAllAcks() {
  bool more = true;
  while (more) {
    ARROW_ASSIGN_OR_RAISE(more, ReadAcks());
  }
  return Status::OK();
}

Status WriteStream::Finish() {
  ARROW_RETURN_NOT_OK(writer_->Close());
  return ledger_.CheckComplete(writes_);
}

}  // namespace arka::bench

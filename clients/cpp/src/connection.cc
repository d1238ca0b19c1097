#include "connection.h"

#include "status.h"

#include <arrow/buffer.h>

#include "arka/protocol/descriptor.h"

namespace arka::client {

namespace flight = arrow::flight;
using arrow::Result;
using arrow::Status;

Connection::Connection(Endpoint& endpoint, std::unique_ptr<DialledClient> client,
                       flight::FlightClient::DoExchangeResult exchange,
                       std::shared_ptr<CallRecord> call)
    : endpoint_(endpoint),
      client_(std::move(client)),
      exchange_(std::move(exchange)),
      call_(std::move(call)) {}

Result<std::shared_ptr<Connection>> Connection::Open(Endpoint& endpoint, const std::string& table,
                                                     Headers headers) {
  ARROW_ASSIGN_OR_RAISE(auto client, endpoint.Dial());
  flight::FlightCallOptions options = AlignedCallOptions();
  options.headers = std::move(headers);
  const auto descriptor =
      flight::FlightDescriptor::Path({std::string(protocol::kStreamingWrite), table});
  auto exchange = (*client)->DoExchange(options, descriptor);
  if (!exchange.ok()) return FromStream(exchange.status());
  auto call = client->LastCall();
  return std::shared_ptr<Connection>(
      new Connection(endpoint, std::move(client), *std::move(exchange), std::move(call)));
}

Connection::~Connection() {
  exchange_.reader->Cancel();       // nothing is to be waited for
  (void)exchange_.writer->Close();  // Next() has said it
}

Status Connection::Begin(const std::shared_ptr<arrow::Schema>& schema) {
  return exchange_.writer->Begin(schema);
}

Status Connection::Send(const arrow::RecordBatch& batch, int64_t seq) {
  return exchange_.writer->WriteWithMetadata(
      batch, arrow::Buffer::FromString("{\"seq\": " + std::to_string(seq) + "}"));
}

Status Connection::HalfClose() { return exchange_.writer->DoneWriting(); }

Status Connection::AwaitOpened() {
  const auto schema = exchange_.reader->GetSchema();
  if (!schema.ok()) return FailureOf(schema.status());
  if (!(*schema)->Equals(*protocol::AckSchema())) {
    return Violation("its acks have the columns\n", (*schema)->ToString(), "\ninstead of\n",
                     protocol::AckSchema()->ToString());
  }
  return Status::OK();
}

Result<std::optional<protocol::AckBatchContents>> Connection::Next() {
  const auto chunk = exchange_.reader->Next();
  if (!chunk.ok()) return FailureOf(chunk.status());
  if (!chunk->data) return std::nullopt;
  auto acks = protocol::ReadAckBatch(*chunk->data);
  if (!acks.ok()) return Violation(acks.status().message());
  return *std::move(acks);
}

void Connection::Cancel() { exchange_.reader->Cancel(); }

Status Connection::FailureOf(const Status& status) const {
  const Status failure = FromStream(status, call_ ? call_->said() : std::nullopt);
  const bool renewed = CodeOf(failure) == Code::kUnauthenticated && call_ &&
                       endpoint_.credentials().Renew(call_->authorization);
  return renewed ? MakeError(Code::kUnauthenticated, true, failure.message()) : failure;
}

}  // namespace arka::client

#pragma once

#include "ack_ledger.h"
#include "options.h"

#include <memory>
#include <optional>

#include <arrow/flight/client.h>
#include <arrow/result.h>

namespace arka::bench {

// A connection to the server under test, which does not share sockets with other connections of
// this process.
arrow::Result<std::shared_ptr<arrow::flight::FlightClient>> Connect(int port);

// One DoExchange stream of writes with its ledger of acks. One thread writes, one (the same or
// another) reads; Finish after both.
class WriteStream {
 public:
  using Clock = AckLedger::Clock;

  // Opens the stream and sends the schema; the connection is kept alive by the stream.
  static arrow::Result<WriteStream> Open(std::shared_ptr<arrow::flight::FlightClient> connection,
                                         const ClientOptions& options,
                                         const std::shared_ptr<arrow::Schema>& schema);

  arrow::Status Write(const arrow::RecordBatch& batch) {
    ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(batch));
    ++writes_;
    return arrow::Status::OK();
  }
  arrow::Status DoneWriting() { return writer_->DoneWriting(); }

  // Reads one ack batch into the ledger; false at the end of the stream.
  arrow::Result<bool> ReadAcks();
  // Reads until the server ends the stream.
  arrow::Status ReadAllAcks();

  // Ends the call: the server's status, then the ledger's verdict on completeness.
  arrow::Status Finish();

  AckLedger& ledger() { return ledger_; }
  int64_t writes() const { return writes_; }

 private:
  WriteStream(std::shared_ptr<arrow::flight::FlightClient> connection,
              arrow::flight::FlightClient::DoExchangeResult exchange, AckLedger ledger)
      : connection_(std::move(connection)),
        writer_(std::move(exchange.writer)),
        reader_(std::move(exchange.reader)),
        ledger_(std::move(ledger)) {}

  std::shared_ptr<arrow::flight::FlightClient> connection_;
  std::unique_ptr<arrow::flight::FlightStreamWriter> writer_;
  std::unique_ptr<arrow::flight::FlightStreamReader> reader_;
  AckLedger ledger_;
  int64_t writes_ = 0;
};

}  // namespace arka::bench

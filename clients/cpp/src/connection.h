// One DoExchange stream on a connection of its own.
//
// One thread sends (Begin, Send, HalfClose), one reads (Next); Cancel() may be called from any, and
// ends both. Close() is for when both are done.
#pragma once

#include "endpoint.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/flight/client.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include "arka/protocol/ack_batch.h"

namespace arka::client {

class Connection {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// Dials; little is sent before Begin().
  static arrow::Result<std::shared_ptr<Connection>> Open(Endpoint& endpoint,
                                                         const std::string& table, Headers headers);
  ~Connection();

  /// Sends the schema.
  arrow::Status Begin(const std::shared_ptr<arrow::Schema>& schema);
  /// May block for as long as the server takes no more. Its error says little: Next() has the
  /// reason.
  arrow::Status Send(const arrow::RecordBatch& batch, int64_t seq);
  arrow::Status HalfClose();
  /// Waits until the server has taken the stream.
  arrow::Status AwaitOpened();
  /// The next acks; nothing at the stream's orderly end.
  arrow::Result<std::optional<protocol::AckBatchContents>> Next();
  void Cancel();

 private:
  Connection(Endpoint& endpoint, std::unique_ptr<DialledClient> client,
             arrow::flight::FlightClient::DoExchangeResult exchange,
             std::shared_ptr<CallRecord> call);

  /// What ended the stream, by the server's word where it came. A token that a password renews may
  /// be tried again, too.
  arrow::Status FailureOf(const arrow::Status& status) const;

  Endpoint& endpoint_;
  const std::unique_ptr<DialledClient> client_;
  const arrow::flight::FlightClient::DoExchangeResult exchange_;
  const std::shared_ptr<CallRecord> call_;
};

}  // namespace arka::client

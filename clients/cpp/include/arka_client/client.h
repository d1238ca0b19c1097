// A client of an Arka server: streams and appenders that write, and what the server can be asked.
//
// A connection is made at the first call. Any thread may call any method. Streams may outlive the
// client. Where a method takes a timeout and none is given, it is the client's deadline. Calls that
// only ask are made again while they fail with what may pass and there is time.
#pragma once

#include "arka_client/ack.h"
#include "arka_client/appender.h"
#include "arka_client/options.h"
#include "arka_client/stream.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/table.h>
#include <arrow/type.h>

namespace arka::client {

class Endpoint;

/// How the server is. What it says beyond this is in `json`, which the wire contract describes.
struct ServerStatus {
  std::string version;
  std::string node;
  bool ready = false;
  std::string problem;  // in words; empty: none
  Watermarks watermarks;
  double lag_seconds = 0;  // the age of the oldest write that has not reached OBJECT_STORAGE
  std::string json;
};

/// What became of a session's writes.
struct DurabilityStatus {
  std::vector<Ack> events;               // without their seq
  std::optional<Lsn> forgotten_through;  // the server no longer knows of events up to this LSN
};

class Client {
 public:
  /// A client of the server at `url`: grpc://host:port, or grpc+tls://host:port. Sends nothing yet.
  static arrow::Result<std::unique_ptr<Client>> Connect(const std::string& url,
                                                        ClientOptions options = {});

  // Writing

  /// A stream of writes to a table such as "sales.orders" (named alone it lies in the server's
  /// default namespace), which the first write makes where it is not there. Waits until the server
  /// has taken the stream where options.schema says what it will be, and asks where the producer is
  /// where options.producer names one.
  arrow::Result<std::unique_ptr<Stream>> Open(const std::string& table, StreamOptions options = {});
  /// An appender of rows to a table.
  arrow::Result<std::unique_ptr<Appender>> OpenAppender(const std::string& table,
                                                        AppenderOptions options = {});
  /// Has the server bring every write of before this call, of anybody, to `level`: those to
  /// `table`, or where that is empty all. Returns the last LSN that it concerns.
  arrow::Result<Lsn> Flush(Tier level = Tier::kCommitted, const std::string& table = {},
                           Timeout timeout = {});

  // Looking

  arrow::Result<ServerStatus> GetStatus(Timeout timeout = {});
  /// What became of the writes of a session (empty: the client's) above `last_known_lsn`, and what
  /// was on its way for those below when a stream ended. A session is known for five minutes after
  /// its last stream, unless the server is configured otherwise; then NOT_FOUND.
  arrow::Result<DurabilityStatus> GetDurabilityStatus(std::optional<Lsn> last_known_lsn = {},
                                                      const std::string& session = {},
                                                      Timeout timeout = {});
  /// The level that an LSN has reached, however long ago; nothing: a crash took it from memory.
  arrow::Result<std::optional<Tier>> GetLevel(Lsn lsn, Timeout timeout = {});
  /// The schema of a table, without the metadata that says where its columns are stored.
  arrow::Result<std::shared_ptr<arrow::Schema>> GetSchema(const std::string& table,
                                                          Timeout timeout = {});
  /// The answer to a SELECT, over every row that was acknowledged before.
  arrow::Result<std::shared_ptr<arrow::Table>> Query(const std::string& sql, Timeout timeout = {});

  const std::string& session() const { return options_.session; }

 private:
  Client(std::shared_ptr<Endpoint> endpoint, ClientOptions options);

  const std::shared_ptr<Endpoint> endpoint_;
  const ClientOptions options_;
};

}  // namespace arka::client

// A server's address and how to log in; the calls that are no stream.
//
// Any thread may call any method. Calls share one connection, a stream dials one of its own.
#pragma once

#include "arka_client/options.h"
#include "deadline.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <arrow/flight/client.h>
#include <arrow/flight/client_middleware.h>
#include <arrow/result.h>
#include <nlohmann/json.hpp>

namespace arka::client {

/// What the header `authorization` says. A password is exchanged for the token that the server
/// answers, which spares it the costly check, and used again once the token is no longer good.
class Credentials {
 public:
  explicit Credentials(const ClientOptions& options);

  /// Empty: none is sent.
  std::string Header() const;
  void Learn(std::string_view header);
  /// After UNAUTHENTICATED to `refused`: whether there is something else to try.
  bool Renew(const std::string& refused);

 private:
  const std::function<std::string()> token_;
  std::string basic_;
  mutable std::mutex mutex_;
  std::string learned_;
};

/// What one call sent as its credentials, and the server's word on whether it may be retried.
struct CallRecord {
  std::string authorization;
  std::atomic<int> retryable = -1;  // -1: it did not say

  std::optional<bool> said() const;
};

/// A Flight client and the records of its calls.
class DialledClient {
 public:
  DialledClient(std::unique_ptr<arrow::flight::FlightClient> client,
                std::shared_ptr<arrow::flight::ClientMiddlewareFactory> middleware);

  arrow::flight::FlightClient& operator*() { return *client_; }
  arrow::flight::FlightClient* operator->() { return client_.get(); }
  /// Of the call that this thread began last.
  std::shared_ptr<CallRecord> LastCall();

 private:
  const std::unique_ptr<arrow::flight::FlightClient> client_;
  const std::shared_ptr<arrow::flight::ClientMiddlewareFactory> middleware_;
};

class Endpoint {
 public:
  static arrow::Result<std::shared_ptr<Endpoint>> Make(const std::string& url,
                                                       const ClientOptions& options);

  Credentials& credentials() { return *credentials_; }
  /// A connection of its own; it is made at its first call.
  arrow::Result<std::unique_ptr<DialledClient>> Dial() const;

  using Call = std::function<arrow::Status(arrow::flight::FlightClient&,
                                           const arrow::flight::FlightCallOptions&)>;
  /// make(client, options), again while it is retryable and there is time: for calls that only ask,
  /// or may be made twice.
  arrow::Status Retried(Deadline until, const Call& make);

  using Answers = std::vector<nlohmann::json>;
  /// The answers of a DoAction that a stream needs to go on.
  arrow::Result<Answers> Action(const std::string& name, const nlohmann::json& body,
                                std::chrono::milliseconds timeout);
  /// The answers of a DoAction that is Retried().
  arrow::Result<Answers> RetriedAction(const std::string& name, const nlohmann::json& body,
                                       Deadline until);

 private:
  Endpoint(arrow::flight::Location location, const ClientOptions& options);

  using Reading = arrow::Status(const arrow::Status&, std::optional<bool> said);
  /// make(client, options) within `timeout`; once more where a token was refused that a password
  /// can renew. `read` makes a failure of what Flight returned.
  arrow::Status Once(std::chrono::milliseconds timeout, const Call& make, Reading* read);

  const arrow::flight::Location location_;
  arrow::flight::FlightClientOptions options_;
  const std::shared_ptr<Credentials> credentials_;
  std::mutex mutex_;
  std::shared_ptr<DialledClient> calls_;
};

/// Options of a call whose answers are aligned as their types want it: the bytes of a message lie
/// as gRPC received them.
arrow::flight::FlightCallOptions AlignedCallOptions();

/// The whole number that `object` has under `key`; nothing where it has none.
std::optional<int64_t> NumberIn(const nlohmann::json& object, const char* key);
/// The text that `object` has under `key`; empty where it has none.
std::string TextIn(const nlohmann::json& object, const char* key);

/// Delays between attempts: twice as long each time, from 50 ms to 2 s, each shortened by a random
/// part of up to a half, so that many clients of a server that comes back do not knock at once.
class Backoff {
 public:
  std::chrono::milliseconds Next();

 private:
  std::chrono::milliseconds delay_{50};
};

/// A random name of 32 hexadecimal digits.
std::string RandomName();

}  // namespace arka::client

// How a client reaches its server and how a stream writes. Everything has a default.
#pragma once

#include "arka_client/ack.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/type.h>

namespace arka::client {

struct ClientOptions {
  /// A password, or a token; with neither, none is sent. `token` is asked before every call, on any
  /// thread, and must not throw.
  std::string username;
  std::string password;
  std::function<std::string()> token;
  /// PEM texts: certificates to trust instead of the system's, and the client's own.
  std::string tls_root_certs;
  std::string client_cert;
  std::string client_key;
  /// The client's name for its session, 1 to 128 printable characters; random where it is empty.
  std::string session;
  /// How long a stream tries to get on while nothing reaches the server's disk, and how long a call
  /// waits that is given no timeout.
  std::chrono::milliseconds deadline = std::chrono::seconds(60);
  /// Bytes of batches that a stream keeps until they are on the server's disk. One larger batch is
  /// let in where nothing else is kept.
  int64_t budget_bytes = 64 << 20;
};

struct StreamOptions {
  /// Of every batch. With it Open() dials, and fails where the server does not take the stream;
  /// without, the first batch brings it.
  std::shared_ptr<arrow::Schema> schema;
  /// This writer's stable name, 1 to 128 printable characters: a program that is started again with
  /// the same name goes on where it was, and what is left of the one before is refused. Random
  /// where it is empty.
  std::string producer;
  /// Those of the client unless given.
  std::string session;
  std::optional<std::chrono::milliseconds> deadline;
  std::optional<int64_t> budget_bytes;
  /// Hears of every level of every write once, in order, on a thread of its own (MEMORY again where
  /// a crash took the write's LSN and it got another). One that is too slow for 262,144 acks loses
  /// the oldest. It must not throw, and must not destroy the stream.
  std::function<void(const Ack&)> on_ack;
};

}  // namespace arka::client

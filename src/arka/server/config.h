// What the operator decides: every setting of the server, with its default.
//
// Plain values. Sources in rising precedence: the defaults here, a YAML file, environment
// variables,
// --set. Each key is listed once in key_table.cc; config/arka.example.yaml and
// docs/reference/configuration.md are checked against that table.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/server/units.h"

namespace arka {

struct Config {
  struct Server {
    ListenAddress listen;
    std::string data_dir = "./arka-data";
    std::string node_id = "node-1";
    int64_t io_threads = 0;  // 0: chosen from the number of cores
    int64_t max_batch_bytes = 64 << 20;
    int64_t message_memory_bytes = 512 << 20;
    int64_t memory_limit_bytes = 0;  // 0: 80 % of what the machine or the container allows
    int64_t max_connections = 20'000;
    int64_t max_streams_per_connection = 1'000;
    std::chrono::milliseconds handshake_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds stream_idle_timeout = std::chrono::hours(1);    // 0: never
    std::chrono::milliseconds keepalive_interval = std::chrono::seconds(60);  // 0: never
    std::chrono::milliseconds keepalive_timeout = std::chrono::seconds(20);
    std::chrono::milliseconds max_connection_age{0};  // 0: no limit
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
    std::string tls_cert_path;  // both or neither
    std::string tls_key_path;
    std::string tls_client_ca_path;  // empty: clients are not asked for certificates
    bool allow_insecure = false;
  };
  struct Auth {
    std::string credentials_path;  // empty: everybody may do everything
    std::chrono::milliseconds token_lifetime = std::chrono::hours(1);
    std::string jwt_keys;  // a path or a URL; empty: JWTs are not known
    std::string jwt_issuer;
    std::string jwt_audience;
    std::string jwt_principal_claim = "sub";
  };
  struct WriteBuffer {
    int64_t max_buffer_bytes = 128 << 20;
    std::chrono::microseconds flush_interval{0};
    int64_t max_unflushed_bytes = 512 << 20;
    std::chrono::milliseconds admission_timeout = std::chrono::seconds(30);
  };
  struct Durability {
    std::chrono::milliseconds s3_upload_interval{100};
    std::chrono::milliseconds iceberg_commit_interval = std::chrono::seconds(60);
  };
  struct Acks {
    std::chrono::milliseconds retention = std::chrono::minutes(5);
  };
  struct Wal {
    int64_t segment_bytes = 64 << 20;
    int64_t spare_segments = 2;
    int64_t recycled_segments = 16;
    int64_t max_bytes = int64_t{16} << 30;
    int64_t keep_free_bytes = 256 << 20;  // of the disk, for whatever frees the log
  };
  struct Producers {
    int64_t max = 100'000;  // pairs of producer and table
    std::chrono::milliseconds expire_after = std::chrono::hours(7 * 24);
  };
  struct ObjectStorage {
    std::string uri;  // LoadConfig puts file://<data_dir>/objects for ""
    std::string endpoint;
    std::string region = "us-east-1";
    std::string access_key;
    std::string secret_key;
  };
  struct Catalog {
    std::string type = "sqlite";  // or rest
    std::string uri;  // the database file, where LoadConfig puts <data_dir>/catalog.db for "", or
                      // the REST catalog's address
    std::string name = "lake";
    std::string warehouse;       // LoadConfig puts file://<data_dir>/warehouse for ""
    std::string warehouse_name;  // this and the rest: of a REST catalog only
    std::string token;
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
    std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  };
  struct Tables {
    bool auto_create = true;
    std::string default_namespace = "arka";
    std::string default_table = "arka.my_table";
  };
  struct Query {
    int64_t workers = 4;                            // processes; 0: SQL is not answered
    int64_t threads = 2;                            // of a worker
    int64_t memory_limit_bytes = int64_t{1} << 30;  // of a worker
    int64_t fresh_rows_memory_bytes = int64_t{1} << 30;
    int64_t file_cache_bytes = int64_t{10} << 30;  // 0: data files elsewhere are not copied
    std::string file_cache_dir;                    // LoadConfig puts <data_dir>/query-files for ""
    std::chrono::milliseconds timeout = std::chrono::minutes(1);
  };
  struct Http {
    std::vector<std::string> cors_origins;  // "*": all
  };
  struct Logging {
    std::string level = "info";   // trace, debug, info, warning, error
    std::string format = "text";  // or json
    std::string audit_path;       // empty: none
  };

  Server server;
  Auth auth;
  WriteBuffer write_buffer;
  Durability durability;
  Acks acks;
  Wal wal;
  Producers producers;
  ObjectStorage object_store;
  Catalog catalog;
  Tables tables;
  Query query;
  Http http;
  Logging log;
};

using Environment = std::map<std::string, std::string>;

/// The variables of this process.
Environment ProcessEnvironment();

/// Puts the configuration together: defaults, then the file at `path`, then `environment`
/// (ARKA_WRITE_BUFFER__FLUSH_INTERVAL for write_buffer.flush_interval), then `settings`, each
/// "key=value". kInvalidRequest for the first unknown key, bad value or impossible combination,
/// naming where it stands ("arka.yaml:7") and, for a key, the nearest that exists. Other variables
/// are not looked at, but those that begin with ARKA_ and contain "__".
Result<Config> LoadConfig(const std::optional<std::string>& path,
                          std::span<const std::string> settings, const Environment& environment);

}  // namespace arka

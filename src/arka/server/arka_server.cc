#include "arka/server/arka_server.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "arka/iceberg/rest_catalog.h"
#include "arka/iceberg/sqlite_catalog.h"
#include "arka/io/curl_http_client.h"
#include "arka/io/object_stores.h"
#include "arka/protocol/table_name.h"
#include "arka/server/config_check.h"
#include "arka/server/data_directory.h"
#include "arka/server/start_patience.h"

namespace arka {
namespace {

using std::chrono::milliseconds;

constexpr char kNoTable[] = "arka_is_starting";  // asked for only to hear whether anybody answers
constexpr milliseconds kLookAgain{2};            // at shutdown, whether calls are still open
constexpr milliseconds kFlushPatience{500};      // at shutdown, for what is in the sockets

ObjectStoreOptions StoreOptions(const Config& config) {
  ObjectStoreOptions options;
  options.endpoint = config.object_store.endpoint;
  options.region = config.object_store.region;
  options.access_key = config.object_store.access_key;
  options.secret_key = config.object_store.secret_key;
  return options;
}

// Whether it is a directory, which may be on the disk that the log is on.
bool IsLocal(std::string_view store_uri) { return store_uri.starts_with("file:"); }

ingest::EngineOptions EngineOptionsOf(const Config& config) {
  ingest::EngineOptions options;
  options.node = config.server.node_id;
  options.version = std::string(Version());
  options.log.directory = config.server.data_dir + "/log";
  options.log.node = config.server.node_id;
  options.log.segment_bytes = config.wal.segment_bytes;
  options.log.spare_segments = static_cast<int>(config.wal.spare_segments);
  options.log.max_bytes = config.wal.max_bytes;
  options.log.recycled_segments = static_cast<int>(config.wal.recycled_segments);
  options.log.keep_free_bytes = config.wal.keep_free_bytes;
  options.log.copies_on_disk = static_cast<int>(IsLocal(config.object_store.uri)) +
                               static_cast<int>(IsLocal(config.catalog.warehouse));
  options.log.flush_interval = config.write_buffer.flush_interval;
  options.upload_interval = config.durability.s3_upload_interval;
  options.commit_interval = config.durability.iceberg_commit_interval;
  options.max_buffer_bytes = config.write_buffer.max_buffer_bytes;
  options.max_unflushed_bytes = config.write_buffer.max_unflushed_bytes;
  options.producers.max_producers = config.producers.max;
  options.producers.expire_after = config.producers.expire_after;
  options.auto_create = config.tables.auto_create;
  options.acks_retention = config.acks.retention;
  return options;
}

Result<flight::WriteStreamOptions> WriteStreamOptionsOf(const Config& config) {
  flight::WriteStreamOptions options;
  options.default_namespace = config.tables.default_namespace;
  ARROW_ASSIGN_OR_RAISE(
      options.default_table,
      protocol::ParseTableName({config.tables.default_table}, config.tables.default_namespace));
  options.admission_timeout = config.write_buffer.admission_timeout;
  options.idle_timeout = config.server.stream_idle_timeout;
  options.ack_retention = config.acks.retention;
  return options;
}

transport::ServerOptions TransportOptionsOf(const Config& config) {
  transport::ServerOptions options;
  options.host = config.server.listen.host;
  options.port = config.server.listen.port;
  options.loops = static_cast<int>(config.server.io_threads);
  options.tls_cert_path = config.server.tls_cert_path;
  options.tls_key_path = config.server.tls_key_path;
  options.tls_client_ca_path = config.server.tls_client_ca_path;
  options.max_message_bytes = config.server.max_batch_bytes;
  options.message_memory_bytes = config.server.message_memory_bytes;
  options.max_connections = config.server.max_connections;
  options.max_streams_per_connection =
      static_cast<uint32_t>(config.server.max_streams_per_connection);
  options.handshake_timeout = config.server.handshake_timeout;
  options.keepalive_interval = config.server.keepalive_interval;
  options.keepalive_timeout = config.server.keepalive_timeout;
  options.max_connection_age = config.server.max_connection_age;
  return options;
}

query::TableReadsOptions TableReadsOptionsOf(const Config& config,
                                             query::DataFileCache* data_file_cache) {
  query::TableReadsOptions options;
  if (config.query.workers == 0) return options;
  query::SqlOptions& sql = options.sql.emplace();
  sql.workers.max_workers = static_cast<int>(config.query.workers);
  sql.workers.worker.program = query::WorkerProgramPath();
  sql.workers.worker.threads = static_cast<int>(config.query.threads);
  sql.workers.worker.memory_limit_bytes = config.query.memory_limit_bytes;
  sql.workers.worker.default_namespace = config.tables.default_namespace;
  sql.timeout = config.query.timeout;
  sql.fresh_rows_memory_bytes = config.query.fresh_rows_memory_bytes;
  sql.data_file_cache = data_file_cache;
  if (access(sql.workers.worker.program.c_str(), X_OK) != 0) {
    spdlog::warn("queries in SQL will fail: the program {} is not there",
                 sql.workers.worker.program);
  }
  return options;
}

http::HttpOptions HttpOptionsOf(const Config& config) {
  http::HttpOptions options;
  options.writes.admission_timeout = config.write_buffer.admission_timeout;
  options.writes.max_body_bytes = config.server.max_batch_bytes;
  options.cors.origins = config.http.cors_origins;
  return options;
}

/// server.memory_limit, or what follows from the machine.
Result<int64_t> MemoryLimitOf(const Config& config) {
  if (config.server.memory_limit_bytes > 0) return config.server.memory_limit_bytes;
  ARROW_ASSIGN_OR_RAISE(const int64_t available, AvailableMemoryBytes());
  const int64_t limit = available / 5 * 4;
  ARROW_RETURN_NOT_OK(WithContext(CheckMemoryLimit(config, limit),
                                  "server.memory_limit (80 % of the memory that there is)"));
  return limit;
}

/// The edge, or what the decorator puts before it.
template <typename Edge>
Edge& Decorated(const std::function<Edge&(Edge&)>& decorator, Edge& edge) {
  return decorator ? decorator(edge) : edge;
}

}  // namespace

std::string_view Version() { return ARKA_VERSION; }

Result<std::unique_ptr<ArkaServer>> ArkaServer::Start(const Config& config, StartOptions options,
                                                      const EdgeDecorators& decorators) {
  std::unique_ptr<ArkaServer> server(new ArkaServer(config, options));
  ARROW_RETURN_NOT_OK(server->Build(decorators));
  return server;
}

Status ArkaServer::Build(const EdgeDecorators& decorators) {
  Fs& fs = Decorated<Fs>(decorators.fs, fs_);
  Clock& clock = Decorated<Clock>(decorators.clock, clock_);
  ARROW_ASSIGN_OR_RAISE(access_, Access::Open(config_, fs, clock));
  ARROW_ASSIGN_OR_RAISE(data_dir_lock_, ClaimDataDirectory(fs, config_.server.data_dir));

  ARROW_ASSIGN_OR_RAISE(
      objects_, OpenObjectStore(config_.object_store.uri, StoreOptions(config_), fs, random_));
  ObjectStore& objects = Decorated(decorators.objects, *objects_);
  ARROW_ASSIGN_OR_RAISE(
      warehouse_, OpenObjectStore(config_.catalog.warehouse, StoreOptions(config_), fs, random_));
  ObjectStore& warehouse = Decorated(decorators.warehouse, *warehouse_);
  ARROW_RETURN_NOT_OK(OpenCatalog(warehouse, clock));
  iceberg::Catalog& used_catalog = Decorated(decorators.catalog, *catalog_);

  ingest::EngineOptions engine_options = EngineOptionsOf(config_);
  ARROW_ASSIGN_OR_RAISE(engine_options.memory_limit_bytes, MemoryLimitOf(config_));
  spdlog::info("memory: at most {} MB (server.memory_limit)",
               engine_options.memory_limit_bytes >> 20);
  ARROW_ASSIGN_OR_RAISE(transport_,
                        transport::Server::Make(TransportOptionsOf(config_), gate_, gate_, clock));
  ARROW_RETURN_NOT_OK(transport_->Start());
  spdlog::info("starting: listening on {}, not ready yet", transport_->address());
  engine_options.recover_from_object_store = start_options_.recover_from_object_store;
  engine_options.give_up_writes_of = start_options_.give_up_writes_of;
  engine_options.recovery_progress = &gate_.progress();
  StartPatience patience(gate_);
  if (!IsLocal(config_.object_store.uri)) {
    patience.Need("the object store " + config_.object_store.uri,
                  [&] { return objects.List("log/" + config_.server.node_id + "/").status(); });
  }
  if (!IsLocal(config_.catalog.warehouse)) {
    patience.Need("the warehouse " + config_.catalog.warehouse,
                  [&] { return warehouse.List(std::string(kNoTable) + "/").status(); });
  }
  if (config_.catalog.type == "rest") {
    patience.Need("the catalog " + config_.catalog.uri, [&] {
      return used_catalog.LoadTable({config_.tables.default_namespace, kNoTable}).status();
    });
  }
  ARROW_RETURN_NOT_OK(patience.Run([&]() -> Status {
    return ingest::Engine::Make({fs, clock, random_, objects, warehouse, used_catalog, &memory_},
                                engine_options)
        .Value(&engine_);
  }));

  ARROW_RETURN_NOT_OK(OpenDataFileCache(fs, warehouse));
  ARROW_ASSIGN_OR_RAISE(auto stream_options, WriteStreamOptionsOf(config_));
  reads_ = std::make_unique<query::TableReads>(
      query::ReadSource{.engine = *engine_,
                        .catalog = used_catalog,
                        .warehouse = warehouse,
                        .node = config_.server.node_id,
                        .catalog_name = config_.catalog.name},
      clock, random_, TableReadsOptionsOf(config_, data_file_cache_.get()));
  flight_ = std::make_unique<flight::FlightService>(*engine_, *reads_, clock, random_,
                                                    std::move(stream_options));
  pages_ = std::make_unique<http::HttpService>(*engine_, *reads_, flight_->contexts(),
                                               flight_->sessions(), clock, HttpOptionsOf(config_));
  flight_->Bind(transport_->loops());
  engine_->Start();
  access_->Guard(*flight_, *pages_, *transport_);
  gate_.Open(access_->service(), access_->pages());
  return Status::OK();
}

Status ArkaServer::OpenCatalog(ObjectStore& warehouse, const Clock& clock) {
  const Config::Catalog& config = config_.catalog;
  if (config.type == "rest") {
    CurlHttpOptions http;
    http.connect_timeout = config.connect_timeout;
    http.request_timeout = config.request_timeout;
    ARROW_ASSIGN_OR_RAISE(http_, CurlHttpClient::Make(http));
    iceberg::RestCatalogOptions rest;
    rest.uri = config.uri;
    rest.warehouse_name = config.warehouse_name;
    rest.token = config.token;
    rest.user_agent = "arka/" + std::string(Version());
    ARROW_ASSIGN_OR_RAISE(catalog_,
                          iceberg::RestCatalog::Make(rest, *http_, *warehouse_, random_, clock_));
    return Status::OK();
  }
  iceberg::SqliteCatalogOptions sqlite;
  sqlite.path = config.uri;
  sqlite.catalog_name = config.name;
  ARROW_ASSIGN_OR_RAISE(catalog_, iceberg::SqliteCatalog::Make(sqlite, warehouse, random_, clock));
  return Status::OK();
}

// Where it is not needed any more, its copies go all the same.
Status ArkaServer::OpenDataFileCache(Fs& fs, ObjectStore& warehouse) {
  const Config::Query& config = config_.query;
  query::DataFileCacheOptions options;
  std::error_code error;
  options.directory =
      std::filesystem::absolute(config.file_cache_dir, error).lexically_normal().string();
  if (error) return Error(ErrorCode::kIoFailed, "no working directory: ", error.message());
  options.max_bytes = config.file_cache_bytes;
  // The log waits where only wal.keep_free_bytes are left: copies leave it room to grow.
  options.keep_free_bytes = 2 * config_.wal.keep_free_bytes;
  const auto open = [&]() -> Status {
    if (config.workers == 0 || options.max_bytes == 0 || IsLocal(config_.catalog.warehouse)) {
      return query::DataFileCache::Clear(fs, options.directory);
    }
    return query::DataFileCache::Open(fs, warehouse, options).Value(&data_file_cache_);
  };
  return WithContext(open(), "query.file_cache_dir");
}

std::string ArkaServer::address() const { return transport_->address(); }

Status ArkaServer::Shutdown() {
  const SteadyTime deadline = clock_.Now() + config_.server.shutdown_grace;
  pages_->Shutdown();
  transport_->StopAccepting();
  flight_->Shutdown();
  const Status drained = engine_->Drain(config_.server.shutdown_grace);
  // What became committed just now is still on its way to the streams, which end by themselves.
  while (transport_->counters().calls > 0 && clock_.Now() < deadline) {
    std::this_thread::sleep_for(kLookAgain);
  }
  transport_->Stop(kFlushPatience);
  return drained;
}

// The loops stop before what they call, and the objects of the loops outlive what posts to them.
ArkaServer::~ArkaServer() {
  if (transport_ != nullptr) transport_->Stop(milliseconds(0));
  reads_.reset();
  engine_.reset();
  access_.reset();  // last: what reads on a caller's behalf writes to the audit
}

}  // namespace arka

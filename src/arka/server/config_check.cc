#include "arka/server/config_check.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "arka/iceberg/rest_endpoints.h"
#include "arka/protocol/table_name.h"

namespace arka {
namespace {

class Checker {
 public:
  explicit Checker(const ConfigOrigin& origin_of) : origin_of_(origin_of) {}

  /// Remembers the first contradiction, as "<key> (<origin>) <why>".
  template <typename... Why>
  void Require(bool holds, std::string_view key, Why&&... why) {
    if (holds || !first_.ok()) return;
    first_ = Error(ErrorCode::kInvalidRequest, Named(key), " ", std::forward<Why>(why)...);
  }
  std::string Named(std::string_view key) const {
    return std::string(key) + " (" + origin_of_(key) + ")";
  }
  const Status& first() const { return first_; }

 private:
  const ConfigOrigin& origin_of_;
  Status first_;
};

bool IsNodeId(std::string_view text) {
  constexpr size_t kMaxSize = 64;
  return !text.empty() && text.size() <= kMaxSize && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '.' || c == '_' || c == '-';
         });
}

bool IsStoreUri(std::string_view uri) {
  const std::string_view rest = uri.substr(std::min(uri.find(':') + 1, uri.size()));
  return (uri.starts_with("file:") && rest.find_first_not_of('/') != std::string_view::npos) ||
         (uri.starts_with("s3://") && rest.find_first_not_of('/') != std::string_view::npos);
}

/// Names of catalogs that DuckDB keeps for itself.
bool IsTakenInSql(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name == "main" || name == "memory" || name == "system" || name == "temp";
}

void CheckCatalog(const Config::Catalog& catalog, bool has_sql, Checker& check) {
  check.Require(!catalog.name.empty(), "catalog.name", "is empty");
  check.Require(!has_sql || !IsTakenInSql(catalog.name), "catalog.name", "is '", catalog.name,
                "', which queries in SQL cannot name a catalog: take another name, or do without "
                "them (query.workers 0)");
  if (catalog.type == "rest") {
    check.Require(!catalog.uri.empty(), "catalog.uri",
                  "is empty: a REST catalog needs its address, http(s)://host:port/path");
    const Status uri = iceberg::CheckCatalogUri(catalog.uri);
    check.Require(uri.ok(), "catalog.uri", "is '", catalog.uri, "': ", uri.message());
    return;
  }
  const bool is_file = !catalog.uri.starts_with("http://") && !catalog.uri.starts_with("https://");
  check.Require(is_file, "catalog.uri", "is '", catalog.uri,
                "', the address of a REST catalog: set catalog.type to rest");
  for (const auto& [key, value] : {std::pair("catalog.token", &catalog.token),
                                   std::pair("catalog.warehouse_name", &catalog.warehouse_name)}) {
    check.Require(value->empty(), key, "is for a REST catalog: set catalog.type to rest");
  }
}

bool IsLoopback(std::string_view host) {
  const bool is_v4 = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || host == "[::1]" ||
         (is_v4 && host.starts_with("127."));
}

/// Credentials must not cross a network in the clear, and rows not be there for anybody.
void CheckExposure(const Config& config, Checker& check) {
  const Config::Server& server = config.server;
  if (server.allow_insecure || IsLoopback(server.listen.host)) return;
  const bool auth = !config.auth.credentials_path.empty(), tls = !server.tls_cert_path.empty();
  check.Require(auth && tls, "server.listen", "is '", FormatListenAddress(server.listen),
                "', which other machines reach, but ",
                auth  ? "server.tls.cert is not set: passwords and tokens would cross the network "
                        "in the clear"
                : tls ? "auth.credentials is not set: everybody could read and write every table"
                      : "neither auth.credentials nor server.tls.cert is set: everybody could read "
                        "and write every table, in the clear",
                ". Set it, listen on localhost, or set server.allow_insecure to true where the "
                "network keeps others away");
}

/// What is of no use without something else is a mistake.
void CheckAuth(const Config& config, Checker& check) {
  const Config::Auth& auth = config.auth;
  const bool has_credentials = !auth.credentials_path.empty();
  for (const auto& [key, value] :
       {std::pair("auth.jwt.keys", &auth.jwt_keys), std::pair("log.audit", &config.log.audit_path),
        std::pair("server.tls.client_ca", &config.server.tls_client_ca_path)}) {
    check.Require(value->empty() || has_credentials, key,
                  "needs auth.credentials, which says who may do what");
  }
  check.Require(config.server.tls_client_ca_path.empty() || !config.server.tls_cert_path.empty(),
                "server.tls.client_ca", "needs server.tls.cert");
  for (const auto& [key, value] : {std::pair("auth.jwt.issuer", &auth.jwt_issuer),
                                   std::pair("auth.jwt.audience", &auth.jwt_audience)}) {
    check.Require(value->empty() || !auth.jwt_keys.empty(), key, "needs auth.jwt.keys");
    check.Require(!value->empty() || auth.jwt_keys.empty(), "auth.jwt.keys", "needs ", key,
                  ": a token for somebody else must not be good here");
  }
  check.Require(!auth.jwt_principal_claim.empty(), "auth.jwt.principal_claim", "is empty");
}

}  // namespace

Status CheckMemoryLimit(const Config& config, int64_t limit_bytes) {
  // Besides its buffers the process has code, threads, connections, and a data file being encoded.
  constexpr int64_t kRest = 64 << 20;
  const int64_t needed =
      config.write_buffer.max_unflushed_bytes + config.server.message_memory_bytes + kRest;
  if (needed <= limit_bytes) return Status::OK();
  return Error(ErrorCode::kInvalidRequest, "is ", FormatSize(limit_bytes),
               ", but write_buffer.max_unflushed_bytes, ",
               FormatSize(config.write_buffer.max_unflushed_bytes), ", and server.message_memory, ",
               FormatSize(config.server.message_memory_bytes), ", need ", FormatSize(needed),
               " with what else there is: lower them, or give the server more memory");
}

Status CheckConfig(const Config& config, const ConfigOrigin& origin_of) {
  Checker check(origin_of);
  const Config::Server& server = config.server;
  check.Require(!server.data_dir.empty(), "server.data_dir", "is empty");
  check.Require(IsNodeId(server.node_id), "server.node_id", "is '", server.node_id,
                "': expected 1 to 64 of A-Z a-z 0-9 . _ -");
  check.Require(server.tls_cert_path.empty() || !server.tls_key_path.empty(), "server.tls.cert",
                "needs server.tls.key");
  check.Require(server.tls_key_path.empty() || !server.tls_cert_path.empty(), "server.tls.key",
                "needs server.tls.cert");
  CheckExposure(config, check);
  CheckAuth(config, check);
  check.Require(server.message_memory_bytes >= server.max_batch_bytes, "server.message_memory",
                "is ", FormatSize(server.message_memory_bytes), ", less than ",
                check.Named("server.max_batch_bytes"), ", ", FormatSize(server.max_batch_bytes));

  const Config::WriteBuffer& buffer = config.write_buffer;
  check.Require(buffer.max_unflushed_bytes >= buffer.max_buffer_bytes,
                "write_buffer.max_unflushed_bytes", "is ", FormatSize(buffer.max_unflushed_bytes),
                ", less than ", check.Named("write_buffer.max_buffer_size"), ", ",
                FormatSize(buffer.max_buffer_bytes));

  constexpr int64_t kSegmentUnit = 4096;
  check.Require(config.wal.segment_bytes % kSegmentUnit == 0, "wal.segment_size",
                "is no multiple of 4KB");
  check.Require(config.wal.segment_bytes >= server.max_batch_bytes, "wal.segment_size", "is ",
                FormatSize(config.wal.segment_bytes), ", less than ",
                check.Named("server.max_batch_bytes"), ", ", FormatSize(server.max_batch_bytes));

  constexpr int64_t kLeastSegments = 3;
  check.Require(config.wal.max_bytes >= kLeastSegments * config.wal.segment_bytes, "wal.max_bytes",
                "is ", FormatSize(config.wal.max_bytes), ", less than three of ",
                check.Named("wal.segment_size"), ", ", FormatSize(config.wal.segment_bytes));
  if (server.memory_limit_bytes > 0) {
    const Status fits = CheckMemoryLimit(config, server.memory_limit_bytes);
    check.Require(fits.ok(), "server.memory_limit", fits.message());
  }

  const Config::ObjectStorage& store = config.object_store;
  check.Require(IsStoreUri(store.uri), "object_store.uri", "is '", store.uri,
                "': expected file:///path or s3://bucket/prefix");
  check.Require(IsStoreUri(config.catalog.warehouse), "catalog.warehouse", "is '",
                config.catalog.warehouse, "': expected file:///path or s3://bucket/prefix");
  check.Require(store.access_key.empty() || !store.secret_key.empty(), "object_store.access_key",
                "needs object_store.secret_key");
  check.Require(store.secret_key.empty() || !store.access_key.empty(), "object_store.secret_key",
                "needs object_store.access_key");
  CheckCatalog(config.catalog, config.query.workers > 0, check);

  const Config::Tables& tables = config.tables;
  const auto probe = protocol::ParseTableName({tables.default_namespace, "x"}, "");
  check.Require(probe.ok(), "tables.default_namespace",
                "is no namespace: ", probe.status().message());
  const auto table = protocol::ParseTableName({tables.default_table}, tables.default_namespace);
  check.Require(table.ok(), "tables.default_table", "is no table: ", table.status().message());
  return check.first();
}

}  // namespace arka

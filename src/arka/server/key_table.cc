#include "arka/server/key_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "arka/server/key_types.h"

namespace arka {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int64_t kKB = 1024;
constexpr int64_t kMB = 1024 * kKB;
constexpr int64_t kGB = 1024 * kMB;
constexpr int64_t kTB = 1024 * kGB;
constexpr hours kDay{24};
constexpr milliseconds kMayBeZero{0};
constexpr milliseconds kAtLeastOneMs{1};

void AddServerKeys(std::vector<ConfigKey>& keys) {
  keys.push_back({"server.listen", "host:port",
                  "Where clients connect, with Flight and with HTTP. A name listens on all its "
                  "addresses, IPv4 and IPv6; port 0 lets the kernel pick one.",
                  [](Config& config, std::string_view text) {
                    return ParseListenAddress(text).Value(&config.server.listen);
                  },
                  [](const Config& config) { return FormatListenAddress(config.server.listen); }});
  keys.push_back(TextKey(
      "server.data_dir", "path", [](auto& c) -> auto& { return c.server.data_dir; },
      "The directory of the log and, by default, of everything else. One server at a time uses "
      "it."));
  keys.push_back(TextKey(
      "server.node_id", "1 to 64 of A-Z a-z 0-9 . _ -",
      [](auto& c) -> auto& { return c.server.node_id; },
      "This server's name in the log and in the tables' properties. Never change it while the "
      "log holds writes."));
  keys.push_back(CountKey(
      "server.io_threads", [](auto& c) -> auto& { return c.server.io_threads; }, 0, 256,
      "Threads that serve connections; 0 chooses from the number of cores."));
  keys.push_back(SizeKey(
      "server.max_batch_bytes", [](auto& c) -> auto& { return c.server.max_batch_bytes; }, 64 * kKB,
      1 * kGB, "The largest record batch that a client may send in one message."));
  keys.push_back(SizeKey(
      "server.message_memory", [](auto& c) -> auto& { return c.server.message_memory_bytes; },
      1 * kMB, 1 * kTB, "Memory for messages being received, over all connections."));
  keys.push_back(SizeKey(
      "server.memory_limit", [](auto& c) -> auto& { return c.server.memory_limit_bytes; }, 0,
      1024 * kTB,
      "Memory of the whole process. Above it the server takes no writes until it has written some "
      "out; the configured buffers must fit into it."));
  keys.back().derived_default = "80 % of the machine's or the container's memory";
  keys.push_back(CountKey(
      "server.max_connections", [](auto& c) -> auto& { return c.server.max_connections; }, 1,
      1'000'000, "Open connections; more are closed at once."));
  keys.push_back(CountKey(
      "server.max_streams_per_connection",
      [](auto& c) -> auto& { return c.server.max_streams_per_connection; }, 1, 1'000'000,
      "Open calls on one connection."));
  keys.push_back(DurationKey(
      "server.handshake_timeout", [](auto& c) -> auto& { return c.server.handshake_timeout; },
      kAtLeastOneMs, hours(1), "How long a new connection may stay silent."));
  keys.push_back(DurationKey(
      "server.stream_idle_timeout", [](auto& c) -> auto& { return c.server.stream_idle_timeout; },
      kMayBeZero, 365 * kDay,
      "A write stream on which nothing moved for so long is ended by the server; 0 never."));
  keys.push_back(DurationKey(
      "server.keepalive_interval", [](auto& c) -> auto& { return c.server.keepalive_interval; },
      kMayBeZero, kDay, "A peer that was silent for so long is pinged; 0 never."));
  keys.push_back(DurationKey(
      "server.keepalive_timeout", [](auto& c) -> auto& { return c.server.keepalive_timeout; },
      kAtLeastOneMs, kDay, "How long a pinged peer has to answer before it is disconnected."));
  keys.push_back(DurationKey(
      "server.max_connection_age", [](auto& c) -> auto& { return c.server.max_connection_age; },
      kMayBeZero, 365 * kDay,
      "After so long a client is asked to connect anew, so that load balancers can move it; 0 "
      "never."));
  keys.push_back(DurationKey(
      "server.shutdown_grace", [](auto& c) -> auto& { return c.server.shutdown_grace; }, kMayBeZero,
      kDay, "How long an orderly stop may take before open calls are cut."));
  keys.push_back(TextKey(
      "server.tls.cert", "path", [](auto& c) -> auto& { return c.server.tls_cert_path; },
      "The certificate chain, PEM. With it and server.tls.key the port speaks TLS only."));
  keys.push_back(TextKey(
      "server.tls.key", "path", [](auto& c) -> auto& { return c.server.tls_key_path; },
      "The certificate's private key, PEM."));
  keys.push_back(TextKey(
      "server.tls.client_ca", "path", [](auto& c) -> auto& { return c.server.tls_client_ca_path; },
      "Authorities, PEM, whose certificates clients may show instead of a token; the subject is "
      "the "
      "principal."));
  keys.push_back(BoolKey(
      "server.allow_insecure", [](auto& c) -> auto& { return c.server.allow_insecure; },
      "Lets the server listen where other machines reach it without auth.credentials or without "
      "TLS: only where the network itself keeps others away."));
}

void AddAuthKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(TextKey(
      "auth.credentials", "path", [](auto& c) -> auto& { return c.auth.credentials_path; },
      "The file of users and grants (docs/guide/security.md), read again when it changes. Without "
      "it nobody is asked who he is, and everybody may do everything."));
  keys.push_back(DurationKey(
      "auth.token_lifetime", [](auto& c) -> auto& { return c.auth.token_lifetime; }, kAtLeastOneMs,
      30 * kDay,
      "How long a token is good that a login with a password is answered with. Then the client "
      "logs in again."));
  keys.push_back(TextKey(
      "auth.jwt.keys", "path or https:// URL", [](auto& c) -> auto& { return c.auth.jwt_keys; },
      "The public keys of the issuer of JWTs: a JSON Web Key Set or PEM. Without it JWTs are not "
      "known."));
  keys.push_back(TextKey(
      "auth.jwt.issuer", "text", [](auto& c) -> auto& { return c.auth.jwt_issuer; },
      "What the claim 'iss' of a JWT has to be."));
  keys.push_back(TextKey(
      "auth.jwt.audience", "text", [](auto& c) -> auto& { return c.auth.jwt_audience; },
      "What the claim 'aud' of a JWT has to be or to contain."));
  keys.push_back(TextKey(
      "auth.jwt.principal_claim", "text",
      [](auto& c) -> auto& { return c.auth.jwt_principal_claim; },
      "The claim of a JWT that names the principal."));
}

void AddPipelineKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(SizeKey(
      "write_buffer.max_buffer_size",
      [](auto& c) -> auto& { return c.write_buffer.max_buffer_bytes; }, 64 * kKB, 64 * kGB,
      "What a table gathers in memory before it is written as a data file. Larger: fewer and "
      "larger files."));
  keys.push_back(DurationKey(
      "write_buffer.flush_interval", [](auto& c) -> auto& { return c.write_buffer.flush_interval; },
      microseconds(0), hours(1),
      "The longest that a write waits for others before the log is synced. 0 syncs as soon as "
      "the disk is free, which is fast: writes gather while it is busy."));
  keys.push_back(SizeKey(
      "write_buffer.max_unflushed_bytes",
      [](auto& c) -> auto& { return c.write_buffer.max_unflushed_bytes; }, 1 * kMB, 1 * kTB,
      "Writes held in memory, over all tables. When it is used up, clients are slowed down."));
  keys.push_back(DurationKey(
      "write_buffer.admission_timeout",
      [](auto& c) -> auto& { return c.write_buffer.admission_timeout; }, kMayBeZero, kDay,
      "How long a write may wait for memory or disk space before its stream fails with "
      "RESOURCE_EXHAUSTED."));
  keys.push_back(DurationKey(
      "durability.s3_upload_interval",
      [](auto& c) -> auto& { return c.durability.s3_upload_interval; }, kAtLeastOneMs, kDay,
      "The log's new records go to the object store at most this often. Shorter: OBJECT_STORAGE "
      "sooner, more requests."));
  keys.push_back(DurationKey(
      "durability.iceberg_commit_interval",
      [](auto& c) -> auto& { return c.durability.iceberg_commit_interval; }, kAtLeastOneMs,
      30 * kDay,
      "Tables with new rows get a snapshot this often. Shorter: COMMITTED sooner, more and "
      "smaller files."));
  keys.push_back(DurationKey(
      "acks.retention", [](auto& c) -> auto& { return c.acks.retention; }, kAtLeastOneMs, 30 * kDay,
      "How long after its last stream a session can be asked for, with the action "
      "durability_status."));
  keys.push_back(SizeKey(
      "wal.segment_size", [](auto& c) -> auto& { return c.wal.segment_bytes; }, 1 * kMB, 4 * kGB,
      "The size of a log file, a multiple of 4KB, at least server.max_batch_bytes."));
  keys.push_back(CountKey(
      "wal.spare_segments", [](auto& c) -> auto& { return c.wal.spare_segments; }, 0, 64,
      "Log files kept ready, so that no write waits for one to be made."));
  keys.push_back(SizeKey(
      "wal.max_bytes", [](auto& c) -> auto& { return c.wal.max_bytes; }, 4 * kMB, 1024 * kTB,
      "Disk for the log. An object store or a catalog that is slow or away fills it; when it is "
      "used up, writes wait, then are refused, until some are committed."));
  keys.push_back(CountKey(
      "wal.recycled_segments", [](auto& c) -> auto& { return c.wal.recycled_segments; }, 0, 1024,
      "Log files kept when their writes are no longer needed, to be written again: faster than new "
      "ones. More are deleted."));
  keys.push_back(SizeKey(
      "wal.keep_free_bytes", [](auto& c) -> auto& { return c.wal.keep_free_bytes; }, 0, 1024 * kTB,
      "Room on its disk that the log leaves free, beside what copies of its writes will take there "
      "(log objects and data files under file://), without which it could never be released. Where "
      "there is less, writes wait, then are refused."));
}

void AddProducerKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(CountKey(
      "producers.max", [](auto& c) -> auto& { return c.producers.max; }, 1, 10'000'000,
      "Producers whose writes are known so that none is written twice, one counted for each table "
      "it writes to. One more takes the place of one that has not written for "
      "producers.expire_after; where there is none, it is refused."));
  keys.push_back(DurationKey(
      "producers.expire_after", [](auto& c) -> auto& { return c.producers.expire_after; },
      kAtLeastOneMs, 3650 * kDay,
      "For at least so long after its last write to a table a producer is known there, and after "
      "that "
      "until its place is needed for another one. Counted while the server runs, whatever the "
      "machine's clock says."));
}

void AddStorageKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(TextKey(
      "object_store.uri", "file:///path or s3://bucket/prefix",
      [](auto& c) -> auto& { return c.object_store.uri; },
      "Where the log is copied to for OBJECT_STORAGE.", "file://<server.data_dir>/objects"));
  keys.push_back(TextKey(
      "object_store.endpoint", "URL", [](auto& c) -> auto& { return c.object_store.endpoint; },
      "The S3 server, http://host:port or https://host; empty is AWS. For the warehouse as well."));
  keys.push_back(TextKey(
      "object_store.region", "text", [](auto& c) -> auto& { return c.object_store.region; },
      "The S3 region."));
  keys.push_back(SecretKey(
      "object_store.access_key", [](auto& c) -> auto& { return c.object_store.access_key; },
      "The S3 access key; empty takes AWS's own chain (environment, profile, instance role)."));
  keys.push_back(SecretKey(
      "object_store.secret_key", [](auto& c) -> auto& { return c.object_store.secret_key; },
      "The S3 secret key. Better set by its environment variable than in a file."));
  keys.push_back(ChoiceKey(
      "catalog.type", [](auto& c) -> auto& { return c.catalog.type; }, {"sqlite", "rest"},
      "The kind of Iceberg catalog: a SQLite file, or a server that speaks Iceberg's REST "
      "protocol."));
  keys.push_back(TextKey(
      "catalog.uri", "path, sqlite:///path or http(s)://host:port/path",
      [](auto& c) -> auto& { return c.catalog.uri; },
      "The SQLite catalog's database file, or the REST catalog's address, without /v1.",
      "<server.data_dir>/catalog.db"));
  keys.push_back(TextKey(
      "catalog.name", "text", [](auto& c) -> auto& { return c.catalog.name; },
      "The catalog's name in SQL, and SQLite's, which other engines must use as well."));
  keys.push_back(TextKey(
      "catalog.warehouse", "file:///path or s3://bucket/prefix",
      [](auto& c) -> auto& { return c.catalog.warehouse; },
      "Where the tables' files are. A table that a REST catalog has elsewhere is refused.",
      "file://<server.data_dir>/warehouse"));
  keys.push_back(TextKey(
      "catalog.warehouse_name", "text", [](auto& c) -> auto& { return c.catalog.warehouse_name; },
      "Which of its warehouses a REST catalog is asked for; empty where it has but one."));
  keys.push_back(SecretKey(
      "catalog.token", [](auto& c) -> auto& { return c.catalog.token; },
      "The bearer token for a REST catalog. Better set by its environment variable than in a "
      "file."));
  keys.push_back(DurationKey(
      "catalog.connect_timeout", [](auto& c) -> auto& { return c.catalog.connect_timeout; },
      kAtLeastOneMs, hours(1), "How long connecting to a REST catalog may take."));
  keys.push_back(DurationKey(
      "catalog.request_timeout", [](auto& c) -> auto& { return c.catalog.request_timeout; },
      kAtLeastOneMs, hours(1),
      "How long a REST catalog may take to answer. A commit that is not answered in time is looked "
      "for before it is tried again."));
  keys.push_back(BoolKey(
      "tables.auto_create", [](auto& c) -> auto& { return c.tables.auto_create; },
      "Whether a write to a table that is not there creates it."));
  keys.push_back(TextKey(
      "tables.default_namespace", "namespace",
      [](auto& c) -> auto& { return c.tables.default_namespace; },
      "The namespace of table names that have none."));
  keys.push_back(TextKey(
      "tables.default_table", "table name", [](auto& c) -> auto& { return c.tables.default_table; },
      "The table of a write that names none."));
}

void AddQueryKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(CountKey(
      "query.workers", [](auto& c) -> auto& { return c.query.workers; }, 0, 256,
      "How many SQL queries may run at a time, each in a process of its own; 0 switches SQL off. "
      "Tables are read without SQL all the same."));
  keys.push_back(CountKey(
      "query.threads", [](auto& c) -> auto& { return c.query.threads; }, 1, 256,
      "Threads of a query, which run at a lower priority than everything else."));
  keys.push_back(SizeKey(
      "query.memory_limit", [](auto& c) -> auto& { return c.query.memory_limit_bytes; }, 64 * kMB,
      1 * kTB, "Memory of a query, beside what server.memory_limit bounds."));
  keys.push_back(SizeKey(
      "query.fresh_rows_memory", [](auto& c) -> auto& { return c.query.fresh_rows_memory_bytes; },
      1 * kMB, 1 * kTB,
      "Memory for the rows of queries that no data file on this machine has yet, beside what "
      "server.memory_limit bounds; kept for the next queries while there is room."));
  keys.push_back(SizeKey(
      "query.file_cache_size", [](auto& c) -> auto& { return c.query.file_cache_bytes; }, 0,
      1024 * kTB,
      "Disk space for copies of the data files that queries read, where the warehouse is on S3. A "
      "query that needs more is refused. 0: no copies, and such files are read into "
      "query.fresh_rows_memory."));
  keys.push_back(TextKey(
      "query.file_cache_dir", "path", [](auto& c) -> auto& { return c.query.file_cache_dir; },
      "Where these copies are. A start removes them.", "<server.data_dir>/query-files"));
  keys.push_back(DurationKey(
      "query.timeout", [](auto& c) -> auto& { return c.query.timeout; }, kAtLeastOneMs, hours(24),
      "How long a query may take, from its start until its last row was taken."));
}

// As browsers send it: scheme, host, and port where it is not the scheme's.
bool IsOrigin(std::string_view text) {
  if (text == "*") return true;
  const size_t colon = text.find("://");
  return (text.starts_with("http://") || text.starts_with("https://")) && text.size() > colon + 3 &&
         text.find_first_of("/ ", colon + 3) == std::string_view::npos;
}

void AddHttpKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(ListKey(
      "http.cors_origins", "origins such as https://app.example.com, joined by commas, or *",
      [](auto& c) -> auto& { return c.http.cors_origins; }, IsOrigin,
      "Whose pages a browser lets use this server over HTTP; none: no other site's."));
}

void AddLogKeys(std::vector<ConfigKey>& keys) {
  keys.push_back(ChoiceKey(
      "log.level", [](auto& c) -> auto& { return c.log.level; },
      {"trace", "debug", "info", "warning", "error"},
      "The least severe messages that are "
      "printed."));
  keys.push_back(ChoiceKey(
      "log.format", [](auto& c) -> auto& { return c.log.format; }, {"text", "json"},
      "One line of text or one JSON object per message."));
  keys.push_back(TextKey(
      "log.audit", "path", [](auto& c) -> auto& { return c.log.audit_path; },
      "A file that gets a line of JSON for everything that a caller was let do or was refused: "
      "who, "
      "from where, what, the outcome."));
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kSections = {{
    {"server", "The process and its port"},
    {"auth", "Who may do what"},
    {"write_buffer", "Writes in memory"},
    {"durability", "How soon writes reach the higher durability levels"},
    {"acks", "What is remembered of acknowledgements"},
    {"wal", "The log on the local disk"},
    {"producers", "Producers whose writes are written once"},
    {"object_store", "The object store"},
    {"catalog", "The Iceberg catalog and its warehouse"},
    {"tables", "How tables are named and made"},
    {"query", "Queries in SQL"},
    {"http", "Plain HTTP"},
    {"log", "What the server prints"},
}};

}  // namespace

const std::vector<ConfigKey>& ConfigKeys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> list;
    AddServerKeys(list);
    AddAuthKeys(list);
    AddPipelineKeys(list);
    AddProducerKeys(list);
    AddStorageKeys(list);
    AddQueryKeys(list);
    AddHttpKeys(list);
    AddLogKeys(list);
    return list;
  }();
  return keys;
}

const ConfigKey* FindConfigKey(std::string_view name) {
  const std::vector<ConfigKey>& keys = ConfigKeys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string ConfigKey::DefaultText() const {
  return derived_default.empty() ? get(Config()) : derived_default;
}

std::string_view ConfigSectionComment(std::string_view section) {
  for (const auto& [name, comment] : kSections) {
    if (name == section) return comment;
  }
  return "";
}

std::string_view ConfigSectionOf(std::string_view key_name) {
  return key_name.substr(0, key_name.find('.'));
}

std::string EnvironmentNameOf(std::string_view key_name) {
  std::string name = "ARKA_";
  for (const char c : key_name) {
    if (c == '.') {
      name += "__";
    } else {
      name.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    }
  }
  return name;
}

}  // namespace arka

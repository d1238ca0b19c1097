// The composition root: builds every part of a server from its configuration, in the order of the
// architecture diagram, and takes it down again in the reverse.
//
// The only place that names concrete classes. Owned by the CLI (or a test), one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/flight/flight_service.h"
#include "arka/http/http_service.h"
#include "arka/iceberg/catalog.h"
#include "arka/ingest/engine.h"
#include "arka/io/http_client.h"
#include "arka/io/object_store.h"
#include "arka/io/os_random.h"
#include "arka/io/posix_fs.h"
#include "arka/io/process_memory.h"
#include "arka/io/system_clock.h"
#include "arka/server/access.h"
#include "arka/server/config.h"
#include "arka/server/edge_decorators.h"
#include "arka/server/start_gate.h"
#include "arka/transport/server.h"

namespace arka {

/// The version this was built as, e.g. "0.1.0".
std::string_view Version();

/// What is said at one start only, so not in the configuration.
struct StartOptions {
  /// Where the data directory has no log: get what the object store has (docs/operating.md).
  bool recover_from_object_store = false;
  /// UUIDs of tables that are gone: their writes are given up (docs/operating.md).
  std::vector<std::string> give_up_writes_of;
};

class ArkaServer {
 public:
  /// Locks the data directory, binds, opens stores, catalog and log, recovers, and starts. While it
  /// recovers the port answers that it does (start_gate.h); when it answers OK the server takes
  /// writes. Every error says what to do about it.
  static Result<std::unique_ptr<ArkaServer>> Start(const Config& config, StartOptions options = {},
                                                   const EdgeDecorators& decorators = {});
  ~ArkaServer();

  /// "127.0.0.1:8815": what clients dial.
  std::string address() const;

  /// Stops accepting, makes durable, uploads and commits what was written, answers what is due,
  /// closes. kTimedOut where server.shutdown_grace was not enough: what was acknowledged is safe.
  Status Shutdown();

  /// Reads credentials and certificates again, as it does by itself soon after they change.
  void Reload() { access_->Reload(); }

  /// After Shutdown: whether a commit still hangs in the catalog or the warehouse. Destroying the
  /// server would wait for it; what came of it the next start finds.
  bool has_hanging_commit() const { return engine_->commits_under_way() > 0; }

 private:
  ArkaServer(const Config& config, StartOptions options)
      : config_(config), start_options_(std::move(options)) {}
  Status Build(const EdgeDecorators& decorators);
  Status OpenCatalog(ObjectStore& warehouse, const Clock& clock);
  Status OpenDataFileCache(Fs& fs, ObjectStore& warehouse);

  const Config config_;
  const StartOptions start_options_;
  PosixFs fs_;
  SystemClock clock_;
  OsRandom random_;
  OwnMemory memory_;
  StartGate gate_;
  std::unique_ptr<FileLock> data_dir_lock_;
  std::unique_ptr<ObjectStore> objects_;
  std::unique_ptr<ObjectStore> warehouse_;
  std::unique_ptr<HttpClient> http_;  // for a REST catalog, else null
  std::unique_ptr<iceberg::Catalog> catalog_;
  std::unique_ptr<ingest::Engine> engine_;
  std::unique_ptr<query::DataFileCache> data_file_cache_;  // null: not needed, or switched off
  std::unique_ptr<query::TableReads> reads_;
  std::unique_ptr<flight::FlightService> flight_;
  std::unique_ptr<http::HttpService> pages_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<transport::Server> transport_;
};

}  // namespace arka

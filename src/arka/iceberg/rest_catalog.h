// A catalog behind Iceberg's REST protocol, such as Polaris, Lakekeeper, Nessie or Gravitino.
//
// The server keeps and swaps the metadata; data files and manifests are Arka's, written with Arka's
// own credentials to the table's location, which must lie in the warehouse. One request per step,
// one attempt per request: whoever calls decides about another one. Nothing is asked at start; what
// /v1/config says is fetched before the first call and kept.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arka/iceberg/catalog.h"
#include "arka/iceberg/rest_endpoints.h"
#include "arka/iceberg/rest_errors.h"
#include "arka/io/clock.h"
#include "arka/io/http_client.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

struct RestCatalogOptions {
  std::string uri = {};             // http(s)://host:port/path, what comes before /v1/config
  std::string warehouse_name = {};  // what the server calls the warehouse; "" where it has but one
  std::string token = {};           // sent as "Authorization: Bearer"; "" for none
  std::string user_agent = "arka";
};

class RestCatalog final : public Catalog {
 public:
  /// kInvalidRequest for a URI that is none. The references outlive the catalog.
  static Result<std::unique_ptr<RestCatalog>> Make(const RestCatalogOptions& options,
                                                   HttpClient& http, const ObjectStore& warehouse,
                                                   Random& random, const Clock& clock);

  /// Besides the errors of every catalog: kInvalidRequest where the table lies outside the
  /// warehouse; kUnauthenticated and kPermissionDenied.
  Result<Table> LoadTable(const TableIdentifier& identifier) override;
  Result<Table> CreateTable(const TableIdentifier& identifier,
                            const TableCreation& creation) override;
  Result<Table> CommitTable(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates) override;
  Result<std::vector<TableIdentifier>> ListTables() override;
  Status DropTable(const TableIdentifier& identifier) override;

 private:
  RestCatalog(const RestCatalogOptions& options, HttpClient& http, const ObjectStore& warehouse,
              Random& random, const Clock& clock);

  /// What /v1/config made of the configured URI.
  Result<RestEndpoints> Endpoints();
  /// One request; the body of an answer of 2xx.
  Result<std::string> Exchange(RestCall call, std::string method, std::string url,
                               std::string body = {});
  /// One request that is answered with a table.
  Result<Table> ExchangeTable(RestCall call, std::string method, std::string url, std::string body,
                              const TableIdentifier& identifier);
  /// Makes the namespace and those above it, where they are missing.
  Status CreateNamespaces(const RestEndpoints& endpoints, const std::string& namespace_name);
  Result<std::vector<std::vector<std::string>>> ListNamespaces(
      const RestEndpoints& endpoints, const std::vector<std::string>& parent);
  Result<std::vector<std::string>> ListTablesOf(const RestEndpoints& endpoints,
                                                const std::vector<std::string>& levels);
  Status CheckLocation(const Table& table) const;

  const RestCatalogOptions options_;
  const RestEndpoints base_;
  HttpClient& http_;
  const ObjectStore& warehouse_;
  Random& random_;
  const Clock& clock_;

  std::mutex mutex_;
  std::optional<RestEndpoints> configured_;  // guarded by mutex_
};

}  // namespace arka::iceberg

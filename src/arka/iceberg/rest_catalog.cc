#include "arka/iceberg/rest_catalog.h"

#include <algorithm>
#include <optional>

#include "arka/iceberg/rest_requests.h"
#include "arka/iceberg/rest_responses.h"
#include "arka/iceberg/table_creation.h"

namespace arka::iceberg {
namespace {

// Bounds for what a server that never comes to an end makes us ask.
constexpr int kMaxPages = 1'000;
constexpr size_t kMaxNamespaces = 100'000;
constexpr size_t kMaxLevels = 32;

/// The location to ask for where the caller has no wish: "" (the server knows its warehouse), but
/// for names that must not become folders as they are.
std::string LocationFor(const TableIdentifier& identifier, const ObjectStore& warehouse,
                        Random& random) {
  std::string plain;
  for (const std::string& level : NamespaceLevels(identifier.namespace_name)) plain += level + "/";
  plain += identifier.name;
  const std::string key = DefaultTableKey(identifier, random);
  return key == plain ? "" : warehouse.Uri(key);
}

/// `url` for the page after the one that ended with `token`.
std::string PageOf(const std::string& url, const std::string& token) {
  if (token.empty()) return url;
  return url + (url.find('?') == std::string::npos ? "?" : "&") +
         "pageToken=" + EncodeUrlPart(token);
}

Status EndlessList() {
  return Error(ErrorCode::kCorruption, "the catalog's list of namespaces or tables has no end");
}

}  // namespace

RestCatalog::RestCatalog(const RestCatalogOptions& options, HttpClient& http,
                         const ObjectStore& warehouse, Random& random, const Clock& clock)
    : options_(options),
      base_(options.uri),
      http_(http),
      warehouse_(warehouse),
      random_(random),
      clock_(clock) {}

Result<std::unique_ptr<RestCatalog>> RestCatalog::Make(const RestCatalogOptions& options,
                                                       HttpClient& http,
                                                       const ObjectStore& warehouse, Random& random,
                                                       const Clock& clock) {
  ARROW_RETURN_NOT_OK(WithContext(CheckCatalogUri(options.uri), options.uri));
  return std::unique_ptr<RestCatalog>(new RestCatalog(options, http, warehouse, random, clock));
}

Result<RestEndpoints> RestCatalog::Endpoints() {
  {
    const std::lock_guard lock(mutex_);
    if (configured_) return *configured_;
  }
  const std::string url = base_.Config(options_.warehouse_name);
  const auto configure = [&]() -> Result<RestEndpoints> {
    ARROW_ASSIGN_OR_RAISE(const std::string body, Exchange(RestCall::kGetConfig, "GET", url));
    return base_.Configured(body);
  };
  Result<RestEndpoints> configured = configure();
  if (!configured.ok()) {
    const Status failed = WithContext(configured.status(), url);
    if (CodeOf(failed) != ErrorCode::kNotFound) return failed;
    // Not the caller's table or namespace is missing, but the warehouse.
    return Error(ErrorCode::kInvalidRequest, failed.message(),
                 "; is catalog.warehouse_name right?");
  }
  const std::lock_guard lock(mutex_);
  configured_ = *configured;
  return configured;
}

Result<std::string> RestCatalog::Exchange(RestCall call, std::string method, std::string url,
                                          std::string body) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.headers = {{"Accept", "application/json"}, {"User-Agent", options_.user_agent}};
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  if (!options_.token.empty()) {
    request.headers.push_back({"Authorization", "Bearer " + options_.token});
  }
  request.body = std::move(body);
  Result<HttpResponse> answer = http_.Send(request);
  if (!answer.ok()) return ClassifyNoAnswer(call, answer.status());
  ARROW_RETURN_NOT_OK(ClassifyRestAnswer(call, *answer));
  return std::move(answer->body);
}

Result<Table> RestCatalog::ExchangeTable(RestCall call, std::string method, std::string url,
                                         std::string body, const TableIdentifier& identifier) {
  const auto exchange = [&]() -> Result<Table> {
    ARROW_ASSIGN_OR_RAISE(const std::string answered,
                          Exchange(call, std::move(method), std::move(url), std::move(body)));
    auto parsed = ParseTableAnswer(answered);
    if (!parsed.ok()) return ClassifyBadAnswer(call, parsed.status());
    return Table{identifier, std::move(parsed->metadata_location),
                 std::make_shared<const TableMetadata>(std::move(parsed->metadata))};
  };
  Result<Table> table = exchange();
  if (!table.ok()) return WithContext(table.status(), "iceberg: " + identifier.ToString());
  return table;
}

Status RestCatalog::CheckLocation(const Table& table) const {
  if (warehouse_.KeyOf(table.metadata->location).ok()) return Status::OK();
  return Error(ErrorCode::kInvalidRequest, "iceberg: the catalog has the table ",
               table.identifier.ToString(), " at ", Quoted(table.metadata->location),
               ", which is not in ", warehouse_.Uri(""),
               "; set catalog.warehouse to the folder or bucket in which the catalog keeps its "
               "tables");
}

Result<Table> RestCatalog::LoadTable(const TableIdentifier& identifier) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  ARROW_ASSIGN_OR_RAISE(const RestEndpoints endpoints, Endpoints());
  ARROW_ASSIGN_OR_RAISE(Table table, ExchangeTable(RestCall::kLoadTable, "GET",
                                                   endpoints.Table(identifier), "", identifier));
  ARROW_RETURN_NOT_OK(CheckLocation(table));
  return table;
}

Result<Table> RestCatalog::CreateTable(const TableIdentifier& identifier,
                                       const TableCreation& creation) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  const std::string location =
      creation.location ? *creation.location : LocationFor(identifier, warehouse_, random_);
  // The server makes the metadata that counts; this is for its checks, ids and properties.
  ARROW_ASSIGN_OR_RAISE(const TableMetadata wanted,
                        NewTableMetadata(creation, location, MakeUuid(random_), clock_.WallNow()));
  ARROW_ASSIGN_OR_RAISE(const RestEndpoints endpoints, Endpoints());
  const auto create = [&] {
    return ExchangeTable(RestCall::kCreateTable, "POST",
                         endpoints.Tables(NamespaceLevels(identifier.namespace_name)),
                         CreateTableBody(identifier.name, wanted, location), identifier);
  };
  Result<Table> created = create();
  if (!created.ok() && CodeOf(created.status()) == ErrorCode::kNotFound) {
    ARROW_RETURN_NOT_OK(CreateNamespaces(endpoints, identifier.namespace_name));
    created = create();
  }
  ARROW_RETURN_NOT_OK(created.status());
  ARROW_RETURN_NOT_OK(CheckLocation(*created));
  return created;
}

Status RestCatalog::CreateNamespaces(const RestEndpoints& endpoints,
                                     const std::string& namespace_name) {
  std::vector<std::string> above;
  for (const std::string& level : NamespaceLevels(namespace_name)) {
    above.push_back(level);
    const Status made = Exchange(RestCall::kCreateNamespace, "POST", endpoints.Namespaces(),
                                 CreateNamespaceBody(above))
                            .status();
    if (!made.ok() && CodeOf(made) != ErrorCode::kAlreadyExists) {
      return WithContext(made, "iceberg: namespace " + namespace_name);
    }
  }
  return Status::OK();
}

Result<Table> RestCatalog::CommitTable(const TableIdentifier& identifier,
                                       const std::vector<TableRequirement>& requirements,
                                       const std::vector<TableUpdate>& updates) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  ARROW_ASSIGN_OR_RAISE(const RestEndpoints endpoints, Endpoints());
  return ExchangeTable(RestCall::kCommitTable, "POST", endpoints.Table(identifier),
                       CommitTableBody(identifier, requirements, updates), identifier);
}

Status RestCatalog::DropTable(const TableIdentifier& identifier) {
  ARROW_RETURN_NOT_OK(ValidateIdentifier(identifier));
  ARROW_ASSIGN_OR_RAISE(const RestEndpoints endpoints, Endpoints());
  return WithContext(Exchange(RestCall::kDropTable, "DELETE",
                              endpoints.Table(identifier) + "?purgeRequested=false")
                         .status(),
                     "iceberg: " + identifier.ToString());
}

Result<std::vector<std::vector<std::string>>> RestCatalog::ListNamespaces(
    const RestEndpoints& endpoints, const std::vector<std::string>& parent) {
  std::vector<std::vector<std::string>> namespaces;
  std::string token;
  for (int page = 0; page < kMaxPages; ++page) {
    ARROW_ASSIGN_OR_RAISE(
        const std::string body,
        Exchange(RestCall::kList, "GET", PageOf(endpoints.Namespaces(parent), token)));
    ARROW_ASSIGN_OR_RAISE(RestNamespaces listed, ParseNamespacesAnswer(body));
    for (auto& levels : listed.namespaces) {
      // One that is not below its parent would be listed for ever; one with a dot in a level has
      // no name here.
      if (levels.size() != parent.size() + 1 || levels.back().find('.') != std::string::npos) {
        continue;
      }
      namespaces.push_back(std::move(levels));
    }
    token = std::move(listed.next_page_token);
    if (token.empty()) return namespaces;
  }
  return EndlessList();
}

Result<std::vector<std::string>> RestCatalog::ListTablesOf(const RestEndpoints& endpoints,
                                                           const std::vector<std::string>& levels) {
  std::vector<std::string> names;
  std::string token;
  for (int page = 0; page < kMaxPages; ++page) {
    const auto body = Exchange(RestCall::kList, "GET", PageOf(endpoints.Tables(levels), token));
    // Dropped since it was listed, or there only as the parent of others.
    if (!body.ok() && CodeOf(body.status()) == ErrorCode::kNotFound) return names;
    ARROW_RETURN_NOT_OK(body.status());
    ARROW_ASSIGN_OR_RAISE(RestTables listed, ParseTablesAnswer(*body));
    std::move(listed.names.begin(), listed.names.end(), std::back_inserter(names));
    token = std::move(listed.next_page_token);
    if (token.empty()) return names;
  }
  return EndlessList();
}

Result<std::vector<TableIdentifier>> RestCatalog::ListTables() {
  ARROW_ASSIGN_OR_RAISE(const RestEndpoints endpoints, Endpoints());
  std::vector<TableIdentifier> tables;
  std::vector<std::vector<std::string>> parents = {{}};
  for (size_t i = 0; i < parents.size(); ++i) {
    if (parents.size() > kMaxNamespaces) return EndlessList();
    const std::vector<std::string> parent = parents[i];
    if (!parent.empty()) {
      std::string name;
      for (const std::string& level : parent) name += (name.empty() ? "" : ".") + level;
      ARROW_ASSIGN_OR_RAISE(const auto names, ListTablesOf(endpoints, parent));
      for (const std::string& table : names) tables.push_back({name, table});
    }
    if (parent.size() >= kMaxLevels) continue;
    const auto children = ListNamespaces(endpoints, parent);
    // Dropped since, or a server without nested namespaces.
    if (!children.ok() && CodeOf(children.status()) == ErrorCode::kNotFound) continue;
    ARROW_RETURN_NOT_OK(children.status());
    parents.insert(parents.end(), children->begin(), children->end());
  }
  std::sort(tables.begin(), tables.end());
  return tables;
}

}  // namespace arka::iceberg

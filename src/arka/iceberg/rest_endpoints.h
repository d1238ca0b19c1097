// Where a REST catalog's resources are: the configured URI and what /v1/config said, as URLs.
//
// Pure. What the server says is not trusted to send us, or our token, anywhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/identifier.h"

namespace arka::iceberg {

/// "eu.sales" as {"eu", "sales"}.
std::vector<std::string> NamespaceLevels(std::string_view namespace_name);

/// Every byte but letters, digits and "-._~" as %XX.
std::string EncodeUrlPart(std::string_view text);

/// OK for http://host[:port][/path] and https://…; kInvalidRequest, saying why, for anything else,
/// for user names and passwords in it, and for queries and fragments.
Status CheckCatalogUri(std::string_view uri);

class RestEndpoints {
 public:
  /// `base_uri` must pass CheckCatalogUri.
  explicit RestEndpoints(std::string base_uri);

  /// The same with the prefix, the namespace separator and the path that the answer to /v1/config
  /// asks for; its other members are ignored, credentials among them. kPermissionDenied where it
  /// wants requests to go to another scheme, host or port; kCorruption for malformed answers.
  Result<RestEndpoints> Configured(std::string_view config_answer) const;

  /// `warehouse`: which of the server's warehouses; "" where it has but one.
  std::string Config(std::string_view warehouse) const;
  std::string Namespaces() const;
  /// Of the namespaces below `parent`; from the top where that is empty.
  std::string Namespaces(const std::vector<std::string>& parent) const;
  std::string Tables(const std::vector<std::string>& levels) const;
  std::string Table(const TableIdentifier& identifier) const;

 private:
  std::string JoinedLevels(const std::vector<std::string>& levels) const;

  std::string base_;               // without a trailing slash
  std::string prefix_;             // "" or "<prefix>/"
  std::string separator_ = "%1F";  // between namespace levels, percent-encoded
};

}  // namespace arka::iceberg

#include "arka/iceberg/rest_endpoints.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "arka/iceberg/json_reader.h"

namespace arka::iceberg {
namespace {

constexpr char kWhat[] = "the catalog's configuration";

bool IsUnreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

std::string WithoutTrailingSlash(std::string text) {
  while (text.ends_with('/')) text.pop_back();
  return text;
}

/// "https://host:port" of a URI, in lower case.
std::string OriginOf(std::string_view uri) {
  const size_t host = uri.find("://");
  if (host == std::string_view::npos) return "";
  std::string origin(uri.substr(0, uri.find_first_of("/?#", host + 3)));
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return origin;
}

/// Whether `text` can stand in a path as it is: unreserved characters, '/' and escapes.
bool IsEncoded(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto is_hex = [&](size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text[i] == '%') {
      if (!is_hex(i + 1) || !is_hex(i + 2)) return false;
      i += 2;
    } else if (!IsUnreserved(static_cast<unsigned char>(text[i])) && text[i] != '/') {
      return false;
    }
  }
  return true;
}

std::string EncodePrefix(std::string_view prefix) {
  std::string encoded;
  while (!prefix.empty()) {
    const size_t slash = std::min(prefix.find('/'), prefix.size());
    if (slash > 0) encoded += EncodeUrlPart(prefix.substr(0, slash)) + "/";
    prefix.remove_prefix(std::min(slash + 1, prefix.size()));
  }
  return encoded;
}

}  // namespace

std::vector<std::string> NamespaceLevels(std::string_view namespace_name) {
  std::vector<std::string> levels;
  while (true) {
    const size_t dot = namespace_name.find('.');
    levels.emplace_back(namespace_name.substr(0, dot));
    if (dot == std::string_view::npos) return levels;
    namespace_name.remove_prefix(dot + 1);
  }
}

std::string EncodeUrlPart(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    const auto c = static_cast<unsigned char>(character);
    if (IsUnreserved(c)) {
      encoded.push_back(character);
    } else {
      encoded += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return encoded;
}

Status CheckCatalogUri(std::string_view uri) {
  const auto refuse = [](std::string_view why) {
    return Error(ErrorCode::kInvalidRequest, why, ": expected http://host:port/path or https://…");
  };
  if (!uri.starts_with("http://") && !uri.starts_with("https://")) {
    return refuse("it does not begin with http:// or https://");
  }
  const std::string origin = OriginOf(uri);
  if (origin.ends_with("//") || origin.ends_with(':')) return refuse("it names no host or no port");
  if (origin.find('@') != std::string::npos) {
    return refuse("a user name or password in it would be printed; use catalog.token");
  }
  if (uri.find_first_of("?#") != std::string_view::npos) return refuse("it has a query in it");
  if (std::any_of(uri.begin(), uri.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7F; })) {
    return refuse("it has a space or another character that must be escaped");
  }
  return Status::OK();
}

RestEndpoints::RestEndpoints(std::string base_uri)
    : base_(WithoutTrailingSlash(std::move(base_uri))) {}

Result<RestEndpoints> RestEndpoints::Configured(std::string_view config_answer) const {
  ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(config_answer, kWhat));
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, kWhat));
  ARROW_ASSIGN_OR_RAISE(auto settings, reader.StringMap("overrides"));
  const auto uri = settings.find("uri");
  RestEndpoints configured = *this;
  if (uri != settings.end()) {
    if (OriginOf(uri->second) != OriginOf(base_) || !CheckCatalogUri(uri->second).ok()) {
      return Error(ErrorCode::kPermissionDenied, "the catalog at ", base_,
                   " wants requests to go to '", uri->second.substr(0, 200),
                   "'; Arka goes, and takes its token, only where catalog.uri says: put that "
                   "address there if it is right");
    }
    configured.base_ = WithoutTrailingSlash(uri->second);
  }
  ARROW_ASSIGN_OR_RAISE(const auto defaults, reader.StringMap("defaults"));
  settings.insert(defaults.begin(), defaults.end());  // an override stays
  const auto prefix = settings.find("prefix");
  if (prefix != settings.end()) configured.prefix_ = EncodePrefix(prefix->second);
  const auto separator = settings.find("namespace-separator");
  if (separator != settings.end()) {
    if (separator->second.empty() || separator->second.size() > 16 ||
        !IsEncoded(separator->second)) {
      return Error(ErrorCode::kCorruption, "iceberg: ", kWhat,
                   ": 'namespace-separator' is not percent-encoded text");
    }
    configured.separator_ = separator->second;
  }
  return configured;
}

std::string RestEndpoints::Config(std::string_view warehouse) const {
  const std::string url = base_ + "/v1/config";
  return warehouse.empty() ? url : url + "?warehouse=" + EncodeUrlPart(warehouse);
}

std::string RestEndpoints::Namespaces() const { return base_ + "/v1/" + prefix_ + "namespaces"; }

std::string RestEndpoints::Namespaces(const std::vector<std::string>& parent) const {
  return parent.empty() ? Namespaces() : Namespaces() + "?parent=" + JoinedLevels(parent);
}

std::string RestEndpoints::Tables(const std::vector<std::string>& levels) const {
  return Namespaces() + "/" + JoinedLevels(levels) + "/tables";
}

std::string RestEndpoints::Table(const TableIdentifier& identifier) const {
  return Tables(NamespaceLevels(identifier.namespace_name)) + "/" + EncodeUrlPart(identifier.name);
}

std::string RestEndpoints::JoinedLevels(const std::vector<std::string>& levels) const {
  std::string joined;
  for (const std::string& level : levels) {
    joined += (joined.empty() ? "" : separator_) + EncodeUrlPart(level);
  }
  return joined;
}

}  // namespace arka::iceberg

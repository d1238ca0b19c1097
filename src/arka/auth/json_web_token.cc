#include "arka/auth/json_web_token.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "arka/base/base64.h"

namespace arka::auth {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxTokenSize = 16 << 10;
constexpr size_t kMaxPrincipalSize = 256;
constexpr int kMaxKeysTried = 8;
constexpr double kMaxSeconds = 253402300800.0;  // the year 10000

template <typename... Why>
Status Refuse(Why&&... why) {
  return Error(ErrorCode::kUnauthenticated, "the JWT ", std::forward<Why>(why)...);
}

struct Parts {
  std::string_view header, payload, signature, signed_text;
};

std::optional<Parts> Split(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

// Deep nesting would take stack: a token's JSON has none to speak of.
Json ObjectOf(std::string_view part) {
  constexpr int kMaxDepth = 16;
  const auto text = DecodeBase64Url(part);
  if (!text) return Json();
  const auto depth_ok = [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; };
  Json json = Json::parse(*text, depth_ok, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json();
}

std::string TextOf(const Json& json, const std::string& name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Status CheckSignature(const Parts& parts, const Json& header, const JsonWebKeys& keys) {
  const std::string algorithm = TextOf(header, "alg"), id = TextOf(header, "kid");
  if (header.contains("crit")) return Refuse("has critical extensions, which are not known here");
  if (std::ranges::find(keys, algorithm, &JsonWebKey::algorithm) == keys.end()) {
    return Refuse(
        "is signed with an algorithm that no key here has: expected RS256, ES256 or EdDSA");
  }
  const auto signature = DecodeBase64Url(parts.signature);
  if (!signature) return Refuse("has a signature that is no Base64");
  int tried = 0;
  for (const JsonWebKey& key : keys) {
    if (key.algorithm != algorithm) continue;
    if (!id.empty() && !key.id.empty() && key.id != id) continue;
    if (key.Verifies(parts.signed_text, *signature)) return Status::OK();
    if (++tried == kMaxKeysTried) break;
  }
  if (tried > 0) return Refuse("has a wrong signature");
  return Error(ErrorCode::kNotFound, "the JWT is signed with a key that is not among the issuer's");
}

std::optional<WallTime> TimeOf(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  const double seconds = std::clamp(found->get<double>(), 0.0, kMaxSeconds);
  return WallTime(std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)));
}

bool IsFor(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return *found == audience;
  return found->is_array() && std::ranges::find(*found, Json(audience)) != found->end();
}

bool IsPrincipal(std::string_view text) {
  return !text.empty() && text.size() <= kMaxPrincipalSize &&
         std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

bool LooksLikeJwt(std::string_view token) { return Split(token).has_value(); }

Result<Identity> VerifyJwt(std::string_view token, const JsonWebKeys& keys, const JwtRules& rules,
                           WallTime now) {
  const auto parts = Split(token);
  if (!parts || token.size() > kMaxTokenSize) return Refuse("is not three parts of at most 16 KB");
  const Json header = ObjectOf(parts->header);
  if (header.is_null()) return Refuse("has a header that is no JSON object in Base64");
  ARROW_RETURN_NOT_OK(CheckSignature(*parts, header, keys));

  const Json claims = ObjectOf(parts->payload);
  if (claims.is_null()) return Refuse("has claims that are no JSON object in Base64");
  if (TextOf(claims, "iss") != rules.issuer)
    return Refuse("is of another issuer (auth.jwt.issuer)");
  if (!IsFor(claims, rules.audience)) {
    return Refuse("is for another audience (auth.jwt.audience)");
  }
  const auto expires = TimeOf(claims, "exp"), begins = TimeOf(claims, "nbf");
  if (!expires) return Refuse("has no time of expiry ('exp')");
  if (claims.contains("nbf") && !begins) return Refuse("has an 'nbf' that is no number");
  if (*expires + rules.leeway <= now) return Refuse("has expired; get a new one from its issuer");
  if (begins && *begins - rules.leeway > now) return Refuse("is not valid yet");
  const std::string principal = TextOf(claims, rules.principal_claim);
  if (!IsPrincipal(principal)) {
    return Refuse("names no principal: its claim '", rules.principal_claim,
                  "' is no text of 1 to 256 characters");
  }
  return Identity{principal, Proof::kJwt, "", *expires + rules.leeway};
}

}  // namespace arka::auth

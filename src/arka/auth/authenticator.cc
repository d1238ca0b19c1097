#include "arka/auth/authenticator.h"

#include <utility>

#include <strings.h>

#include "arka/auth/digest.h"
#include "arka/auth/token_hash.h"
#include "arka/base/base64.h"

namespace arka::auth {
namespace {

constexpr std::string_view kBasic = "Basic ";
constexpr std::string_view kBearer = "Bearer ";

template <typename... Why>
Status Unauthenticated(Why&&... why) {
  return Error(ErrorCode::kUnauthenticated, std::forward<Why>(why)...);
}

// The rest of `text` after a scheme, whose case does not matter (RFC 9110, section 11.1).
std::optional<std::string_view> After(std::string_view scheme, std::string_view text) {
  if (text.size() <= scheme.size() || strncasecmp(text.data(), scheme.data(), scheme.size()) != 0) {
    return std::nullopt;
  }
  text.remove_prefix(scheme.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

// User and password of a Basic header (RFC 7617).
std::optional<std::pair<std::string, std::string>> LoginOf(std::string_view authorization) {
  const auto basic = After(kBasic, authorization);
  auto text = basic ? DecodeBase64(*basic) : std::nullopt;
  if (!text) return std::nullopt;
  const size_t colon = text->find(':');
  if (colon == std::string::npos) return std::nullopt;
  auto login = std::pair(text->substr(0, colon), text->substr(colon + 1));
  Erase(*text);
  return login;
}

}  // namespace

Authenticator::Authenticator(const CredentialsFile& credentials, const Clock& clock,
                             AuthenticatorOptions options)
    : credentials_(credentials),
      clock_(clock),
      tokens_(clock, options.token_lifetime),
      jwt_keys_(options.jwt_keys),
      jwt_rules_(std::move(options.jwt_rules)),
      passwords_(clock, options.passwords) {}

std::optional<Result<Identity>> Authenticator::IdentifyAtOnce(const Presented& presented) const {
  if (!presented.authorization && !presented.certificate_subject.empty()) {
    return Identity{std::string(presented.certificate_subject), Proof::kCertificate, "",
                    presented.certificate_expires_at};
  }
  if (!presented.authorization) {
    return Unauthenticated(
        "no credentials came with the call; send the header 'authorization: Bearer <token>', or "
        "'Basic' with user and password");
  }
  if (const auto bearer = After(kBearer, *presented.authorization)) return IdentityOf(*bearer);
  if (LoginOf(*presented.authorization)) return std::nullopt;
  return Unauthenticated(
      "the 'authorization' header is neither 'Bearer <token>' nor 'Basic <user:password in "
      "Base64>'");
}

void Authenticator::Identify(const Presented& presented, Done done) {
  if (auto known = IdentifyAtOnce(presented)) {
    if (!known->ok()) return done(known->status());
    return done(Login{**std::move(known), ""});
  }
  auto [user, password] = *LoginOf(*presented.authorization);
  CheckPassword(user, std::move(password), presented.peer, std::move(done));
}

void Authenticator::CheckPassword(const std::string& user, std::string password,
                                  std::string_view peer, Done done) {
  const auto credentials = credentials_.current();
  std::optional<PasswordHash> hash;
  const auto found = credentials->passwords.find(user);
  if (found != credentials->passwords.end()) hash = found->second;
  passwords_.Check(user, std::move(password), hash, std::string(peer),
                   [this, user, hash, done = std::move(done)](const Status& checked) {
                     if (!checked.ok()) return done(checked);
                     Login login;
                     login.identity = {user, Proof::kPassword, EvidenceOf(*hash), std::nullopt};
                     login.bearer = tokens_.Issue(user, *hash);
                     done(std::move(login));
                   });
}

Result<Identity> Authenticator::IdentityOf(std::string_view bearer) const {
  const std::string hash = TokenHashOf(bearer);
  const auto credentials = credentials_.current();
  if (const auto user = credentials->token_users.find(hash);
      user != credentials->token_users.end()) {
    return Identity{user->second, Proof::kToken, hash, std::nullopt};
  }
  if (auto identity = tokens_.Read(bearer)) {
    ARROW_RETURN_NOT_OK(StillHolds(*identity));
    return *std::move(identity);
  }
  if (jwt_keys_ != nullptr && LooksLikeJwt(bearer)) return IdentityOfJwt(bearer);
  return Unauthenticated(
      "the bearer token is not known to this server: it is wrong, was revoked, or was issued "
      "before the server's last start; log in again");
}

Result<Identity> Authenticator::IdentityOfJwt(std::string_view token) const {
  ARROW_ASSIGN_OR_RAISE(const auto keys, jwt_keys_->current());
  auto identity = VerifyJwt(token, *keys, jwt_rules_, clock_.WallNow());
  if (identity.ok() || CodeOf(identity.status()) != ErrorCode::kNotFound) return identity;
  jwt_keys_->Miss();
  return Unauthenticated(identity.status().message(),
                         "; where the issuer has a new one, it is known within a minute");
}

std::shared_ptr<Caller> Authenticator::CallerOf(const Identity& identity) const {
  return std::make_shared<Caller>(identity.principal, grants());
}

Status Authenticator::StillHolds(const Identity& identity) const {
  if (identity.expires_at && *identity.expires_at <= clock_.WallNow()) {
    return Unauthenticated("the ", ProofName(identity.proof), " of '", identity.principal,
                           "' has expired; log in again");
  }
  const auto credentials = credentials_.current();
  bool holds = true;
  if (identity.proof == Proof::kPassword) {
    const auto hash = credentials->passwords.find(identity.principal);
    holds = hash != credentials->passwords.end() && EvidenceOf(hash->second) == identity.evidence;
  } else if (identity.proof == Proof::kToken) {
    const auto user = credentials->token_users.find(identity.evidence);
    holds = user != credentials->token_users.end() && user->second == identity.principal;
  }
  if (holds) return Status::OK();
  return Unauthenticated("the ", ProofName(identity.proof), " of '", identity.principal,
                         "' was revoked; log in again");
}

}  // namespace arka::auth

// The one place that decides who a caller is.
//
// Given what came with a call, it answers an Identity or kUnauthenticated; given an Identity, the
// Caller that services ask. Flight (flight/authenticated_service.h) and HTTP
// (http/authenticated_pages.h) put it before everything else. Owned by the composition root;
// thread-safe. Messages never repeat what was presented.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arka/auth/caller.h"
#include "arka/auth/credentials_file.h"
#include "arka/auth/identity.h"
#include "arka/auth/json_web_token.h"
#include "arka/auth/jwt_keys.h"
#include "arka/auth/password_checks.h"
#include "arka/auth/session_tokens.h"
#include "arka/base/error.h"
#include "arka/io/clock.h"

namespace arka::auth {

/// What came with a call. Valid during Identify.
struct Presented {
  std::optional<std::string_view> authorization;  // the header's value: "Basic …" or "Bearer …"
  std::string_view peer;                          // "address:port"
  std::string_view certificate_subject = {};      // of one that TLS has verified; "": none
  std::optional<WallTime> certificate_expires_at = {};
};

struct Login {
  Identity identity;
  std::string bearer;  // a token for the calls to come; "" where the caller has one
};

struct AuthenticatorOptions {
  std::chrono::milliseconds token_lifetime{3'600'000};
  PasswordChecksOptions passwords;
  JwtKeys* jwt_keys = nullptr;  // null: JWTs are not known; must outlive the authenticator
  JwtRules jwt_rules;
};

class Authenticator {
 public:
  using Done = std::function<void(Result<Login>)>;

  /// Both must outlive the authenticator.
  Authenticator(const CredentialsFile& credentials, const Clock& clock,
                AuthenticatorOptions options = {});

  /// Calls `done` once: before this returns where nothing slow is to be done, else on a thread of
  /// the authenticator's. kUnauthenticated; kBackpressure where log-ins have to wait.
  void Identify(const Presented& presented, Done done);

  /// What Identify would answer, where that takes no time; nothing for a user's password.
  std::optional<Result<Identity>> IdentifyAtOnce(const Presented& presented) const;

  /// Identify for a user's password that came by another way than the header.
  void CheckPassword(const std::string& user, std::string password, std::string_view peer,
                     Done done);

  std::shared_ptr<Caller> CallerOf(const Identity& identity) const;

  /// Whether what was proved is still so: kUnauthenticated where it has expired or was revoked.
  Status StillHolds(const Identity& identity) const;
  /// What StillHolds goes by has changed when this has, but for the time.
  int64_t generation() const { return credentials_.generation(); }
  std::shared_ptr<const Grants> grants() const { return credentials_.current()->grants; }

 private:
  Result<Identity> IdentityOf(std::string_view bearer) const;
  Result<Identity> IdentityOfJwt(std::string_view token) const;

  const CredentialsFile& credentials_;
  const Clock& clock_;
  const SessionTokens tokens_;
  JwtKeys* const jwt_keys_;
  const JwtRules jwt_rules_;
  PasswordChecks passwords_;
};

}  // namespace arka::auth

// The bearer tokens that a login with a password is answered with.
//
// A token holds its user and its end, under a MAC whose key dies with the process: nothing is kept
// for it, so no number of logins fills the server. It is good as long as the user's password hash
// stays what it was. Immutable; thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "arka/auth/identity.h"
#include "arka/auth/password_hash.h"
#include "arka/io/clock.h"

namespace arka::auth {

/// What an Identity proved by a password has as its evidence.
std::string EvidenceOf(const PasswordHash& hash);

class SessionTokens {
 public:
  /// `clock` must outlive it.
  SessionTokens(const Clock& clock, std::chrono::milliseconds lifetime);

  std::string Issue(std::string_view user, const PasswordHash& hash) const;

  /// Whom the token was issued to and until when, without a look at whether the user is still
  /// there. Nothing where this process did not issue it; of one that is over, too.
  std::optional<Identity> Read(std::string_view token) const;

  /// Whether the text looks like one.
  static bool IsOne(std::string_view text);

 private:
  const Clock& clock_;
  const std::chrono::milliseconds lifetime_;
  const std::string key_;
};

}  // namespace arka::auth

// JSON Web Tokens (RFC 7519): checked, never made.
//
// 1. Three parts, a header that names one of our algorithms and nothing critical that we do not
//    know. 2. A key of that id and that very algorithm; its signature over the first two parts.
// 3. The issuer, the audience and the times. 4. The claim that names the principal.
// Nothing of a token is believed before its signature is right. Pure; thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "arka/auth/identity.h"
#include "arka/auth/json_web_key.h"
#include "arka/base/error.h"
#include "arka/io/clock.h"

namespace arka::auth {

struct JwtRules {
  std::string issuer;
  std::string audience;
  std::string principal_claim = "sub";
  std::chrono::seconds leeway{30};  // for clocks that differ
};

/// Whether the text has the form of one.
bool LooksLikeJwt(std::string_view token);

/// kUnauthenticated, saying which of the rules it breaks; kNotFound where no key has its id.
Result<Identity> VerifyJwt(std::string_view token, const JsonWebKeys& keys, const JwtRules& rules,
                           WallTime now);

}  // namespace arka::auth

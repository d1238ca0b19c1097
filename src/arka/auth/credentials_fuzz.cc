// Credentials from arbitrary bytes: a credentials file, a key set, a token, a password hash. None
// of them lets anybody in.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "arka/auth/credentials.h"
#include "arka/auth/json_web_token.h"
#include "arka/auth/session_tokens.h"
#include "arka/base/check.h"
#include "arka/io/system_clock.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arka;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto credentials = auth::ParseCredentials(text, "fuzz");
  ARKA_CHECK(credentials.ok() || CodeOf(credentials.status()) == ErrorCode::kInvalidRequest);
  const auto hash = auth::PasswordHash::Parse(text);
  ARKA_CHECK(!hash.ok() || auth::PasswordHash::Parse(hash->ToString()).ok());
  (void)auth::ParseJsonWebKeys(text);

  // The secret key of this public one (RFC 8037, appendix A) is no secret, but no input has its
  // signature over these rules' claims.
  static const auto keys = auth::ParseJsonWebKeys(R"({"keys": [{"kty": "OKP", "crv": "Ed25519",
                                 "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})")
                               .ValueOrDie();
  const auth::JwtRules rules{.issuer = "fuzz issuer", .audience = "fuzz audience"};
  const WallTime now{std::chrono::seconds(1'800'000'000)};
  ARKA_CHECK(!auth::VerifyJwt(text, keys, rules, now).ok());
  static const SystemClock clock;
  static const auth::SessionTokens tokens(clock, std::chrono::hours(1));
  ARKA_CHECK(!tokens.Read(text).has_value());
  return 0;
}

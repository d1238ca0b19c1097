// The public keys that JSON Web Tokens are checked with: RFC 7517 key sets, or PEM.
//
// A key has one algorithm, which follows from what kind of key it is: RSA is RS256, P-256 is ES256,
// Ed25519 is EdDSA. A token cannot choose another one. Symmetric keys are not keys here. Values;
// thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "arka/base/error.h"

namespace arka::auth {

struct JsonWebKey {
  std::string id;         // "kid"; "" where it has none
  std::string algorithm;  // "RS256", "ES256" or "EdDSA"
  std::shared_ptr<EVP_PKEY> key;

  /// Whether `signature`, as a token has it (RFC 7518, RFC 8037), is this key's of `text`.
  bool Verifies(std::string_view text, std::string_view signature) const;
};

using JsonWebKeys = std::vector<JsonWebKey>;

/// A key set as JSON, or public keys and certificates as PEM. Keys of other kinds are left out.
/// kInvalidRequest where nothing is left, or a key is broken or too weak (RSA below 2048 bits).
Result<JsonWebKeys> ParseJsonWebKeys(std::string_view text);

}  // namespace arka::auth

// A static token as the credentials file has it: "sha256$" and the digest in hexadecimal digits.
//
// One fast hash is enough, since a token is long and random and nobody can try them all; short ones
// are refused when they are hashed.
#pragma once

#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka::auth {

/// kInvalidRequest for a token of less than 20 characters, or one that no header could carry.
Result<std::string> HashToken(std::string_view token);

/// The same without a look at the token.
std::string TokenHashOf(std::string_view token);

/// Whether the text is what HashToken answers.
bool IsTokenHash(std::string_view text);

/// A new token: 256 random bits as text.
std::string NewToken();

}  // namespace arka::auth

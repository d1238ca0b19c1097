#include "arka/auth/token_hash.h"

#include <algorithm>

#include "arka/auth/digest.h"
#include "arka/base/base64.h"

namespace arka::auth {
namespace {

constexpr std::string_view kScheme = "sha256$";
constexpr size_t kHexDigits = 64;
constexpr size_t kMinTokenSize = 20;
constexpr size_t kNewTokenBytes = 32;
constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

Result<std::string> HashToken(std::string_view token) {
  if (token.size() < kMinTokenSize) {
    return Error(ErrorCode::kInvalidRequest, "a token of ", token.size(),
                 " characters can be guessed; expected at least ", kMinTokenSize,
                 " random ones: `arka hash-token --generate` makes one");
  }
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return Error(ErrorCode::kInvalidRequest,
                 "a token goes into a header: expected printable ASCII without spaces");
  }
  return TokenHashOf(token);
}

std::string TokenHashOf(std::string_view token) {
  std::string text(kScheme);
  for (const char c : Sha256(token)) {
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

bool IsTokenHash(std::string_view text) {
  return text.size() == kScheme.size() + kHexDigits && text.starts_with(kScheme) &&
         text.find_first_not_of(kDigits, kScheme.size()) == std::string_view::npos;
}

std::string NewToken() { return EncodeBase64Url(SecretBytes(kNewTokenBytes)); }

}  // namespace arka::auth

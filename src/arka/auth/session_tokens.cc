#include "arka/auth/session_tokens.h"

#include <cstring>

#include "arka/auth/digest.h"
#include "arka/base/base64.h"

namespace arka::auth {
namespace {

constexpr std::string_view kPrefix = "arka_";
constexpr size_t kKeyBytes = 32;
constexpr size_t kMacBytes = 32;
constexpr size_t kEvidenceBytes = 32;
constexpr size_t kTimeBytes = sizeof(int64_t);

}  // namespace

std::string EvidenceOf(const PasswordHash& hash) { return Sha256(hash.ToString()); }

SessionTokens::SessionTokens(const Clock& clock, std::chrono::milliseconds lifetime)
    : clock_(clock), lifetime_(lifetime), key_(SecretBytes(kKeyBytes)) {}

std::string SessionTokens::Issue(std::string_view user, const PasswordHash& hash) const {
  const int64_t expires_us = (clock_.WallNow() + lifetime_).time_since_epoch().count();
  std::string content(kTimeBytes, '\0');
  std::memcpy(content.data(), &expires_us, kTimeBytes);
  content += EvidenceOf(hash);
  content += user;
  return std::string(kPrefix) + EncodeBase64Url(HmacSha256(key_, content) + content);
}

std::optional<Identity> SessionTokens::Read(std::string_view token) const {
  if (!IsOne(token)) return std::nullopt;
  const auto bytes = DecodeBase64Url(token.substr(kPrefix.size()));
  if (!bytes || bytes->size() < kMacBytes + kTimeBytes + kEvidenceBytes) return std::nullopt;
  const std::string_view content = std::string_view(*bytes).substr(kMacBytes);
  if (!EqualInConstantTime(HmacSha256(key_, content), bytes->substr(0, kMacBytes))) {
    return std::nullopt;
  }
  int64_t expires_us = 0;
  std::memcpy(&expires_us, content.data(), kTimeBytes);
  Identity identity;
  identity.proof = Proof::kPassword;
  identity.evidence = content.substr(kTimeBytes, kEvidenceBytes);
  identity.principal = content.substr(kTimeBytes + kEvidenceBytes);
  identity.expires_at = WallTime(std::chrono::microseconds(expires_us));
  return identity;
}

bool SessionTokens::IsOne(std::string_view text) { return text.starts_with(kPrefix); }

}  // namespace arka::auth

#include "arka/auth/password_hash.h"

#include <array>
#include <charconv>

#include <openssl/evp.h>

#include "arka/auth/digest.h"
#include "arka/base/base64.h"

namespace arka::auth {
namespace {

constexpr std::string_view kScheme = "scrypt";
constexpr size_t kSaltBytes = 16;
constexpr size_t kHashBytes = 32;
constexpr size_t kFields = 6;
constexpr uint64_t kMaxMemoryBytes = uint64_t{256} << 20;

/// Of scrypt's large array; OpenSSL counts small ones beside it.
uint64_t MemoryBytes(uint64_t n, uint64_t r) { return 128 * n * r; }

Status Malformed() {
  return Error(ErrorCode::kInvalidRequest,
               "is no password hash: expected 'scrypt$N$r$p$salt$hash', as `arka hash-password` "
               "prints it");
}

bool ParseNumber(std::string_view text, uint64_t max, uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end && number >= 1 && number <= max;
}

}  // namespace

Result<PasswordHash> PasswordHash::Of(std::string_view password) {
  if (password.empty()) return Error(ErrorCode::kInvalidRequest, "the password is empty");
  PasswordHash made;
  made.salt_ = SecretBytes(kSaltBytes);
  made.hash_ = made.Derive(password);
  if (made.hash_.empty()) return Error(ErrorCode::kInternal, "no memory to hash a password");
  return made;
}

Result<PasswordHash> PasswordHash::Parse(std::string_view text) {
  std::array<std::string_view, kFields> fields;
  for (size_t i = 0; i < kFields; ++i) {
    const size_t end = i + 1 < kFields ? text.find('$') : text.size();
    if (end == std::string_view::npos) return Malformed();
    fields[i] = text.substr(0, end);
    text.remove_prefix(i + 1 < kFields ? end + 1 : end);
  }
  PasswordHash parsed;
  constexpr uint64_t kMaxN = uint64_t{1} << 20, kMaxR = 32, kMaxP = 16;
  if (fields[0] != kScheme || !ParseNumber(fields[1], kMaxN, parsed.n_) ||
      !ParseNumber(fields[2], kMaxR, parsed.r_) || !ParseNumber(fields[3], kMaxP, parsed.p_)) {
    return Malformed();
  }
  auto salt = DecodeBase64(fields[4]), hash = DecodeBase64(fields[5]);
  if (!salt || salt->size() < kSaltBytes || !hash || hash->size() != kHashBytes) return Malformed();
  if (parsed.n_ < 2 || (parsed.n_ & (parsed.n_ - 1)) != 0) {
    return Error(ErrorCode::kInvalidRequest, "is no password hash: N is no power of two");
  }
  if (MemoryBytes(parsed.n_, parsed.r_) > kMaxMemoryBytes) {
    return Error(ErrorCode::kInvalidRequest,
                 "is a password hash that takes more than 256 MB to check; make it anew with "
                 "`arka hash-password`");
  }
  parsed.salt_ = std::move(*salt);
  parsed.hash_ = std::move(*hash);
  return parsed;
}

bool PasswordHash::Matches(std::string_view password) const {
  return EqualInConstantTime(Derive(password), hash_);
}

std::string PasswordHash::Derive(std::string_view password) const {
  std::string derived(kHashBytes, '\0');
  const int ok = EVP_PBE_scrypt(password.data(), password.size(),
                                reinterpret_cast<const unsigned char*>(salt_.data()), salt_.size(),
                                n_, r_, p_, 2 * kMaxMemoryBytes,
                                reinterpret_cast<unsigned char*>(derived.data()), derived.size());
  return ok == 1 ? derived : std::string();
}

std::string PasswordHash::ToString() const {
  return std::string(kScheme) + "$" + std::to_string(n_) + "$" + std::to_string(r_) + "$" +
         std::to_string(p_) + "$" + EncodeBase64(salt_) + "$" + EncodeBase64(hash_);
}

}  // namespace arka::auth

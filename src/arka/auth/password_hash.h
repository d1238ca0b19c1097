// A password as the credentials file has it: hashed by scrypt (RFC 7914), which is slow and takes
// much memory, so that one who has the file cannot try many.
//
// As text "scrypt$N$r$p$salt$hash", salt and hash in Base64. A plain value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka::auth {

class PasswordHash {
 public:
  /// Of a password that somebody chose, with a fresh salt. Takes about 0.2 s and 32 MB.
  static Result<PasswordHash> Of(std::string_view password);

  /// kInvalidRequest, which does not repeat the text, where it is none or would take more than
  /// 256 MB.
  static Result<PasswordHash> Parse(std::string_view text);

  /// Whether this is the hash of `password`. As slow as Of; false where there is no memory for it.
  bool Matches(std::string_view password) const;

  std::string ToString() const;
  bool operator==(const PasswordHash&) const = default;

 private:
  std::string Derive(std::string_view password) const;  // "" where there is no memory

  uint64_t n_ = uint64_t{1} << 15;
  uint64_t r_ = 8;
  uint64_t p_ = 3;
  std::string salt_;
  std::string hash_;
};

}  // namespace arka::auth

// Who somebody has proved to be, by what, and for how long that is good.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "arka/io/clock.h"

namespace arka::auth {

enum class Proof : uint8_t { kPassword, kToken, kJwt, kCertificate };

constexpr std::string_view ProofName(Proof proof) {
  constexpr std::string_view kNames[] = {"password", "token", "jwt", "certificate"};
  return kNames[static_cast<size_t>(proof)];
}

struct Identity {
  std::string principal;
  Proof proof = Proof::kPassword;
  /// What the server knows that made the proof good, never the secret itself: it must still be
  /// there when a long call is looked at again.
  std::string evidence;
  std::optional<WallTime> expires_at;
};

}  // namespace arka::auth

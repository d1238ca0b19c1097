// The few cryptographic primitives of this layer, over OpenSSL. Thread-safe, no state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace arka::auth {

/// 32 bytes.
std::string Sha256(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view bytes);

/// Whether they are the same, in a time that depends on their sizes only.
bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Bytes that nobody can guess, from the system's source.
std::string SecretBytes(size_t count);

/// Overwrites the text, so that it does not stay in memory that is given back.
void Erase(std::string& secret);

}  // namespace arka::auth

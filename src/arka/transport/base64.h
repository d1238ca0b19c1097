// Base64 as gRPC uses it for "-bin" metadata: written without padding, read with or without.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace arka::transport {

std::string EncodeBase64(std::string_view bytes);

/// Nothing where `text` is not Base64 (RFC 4648 section 4; padding optional).
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace arka::transport

// Base64 (RFC 4648): section 4's alphabet, as gRPC's "-bin" metadata and HTTP's Basic scheme have
// it, and section 5's, as JSON Web Tokens have it. Written without padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace arka {

std::string EncodeBase64(std::string_view bytes);

/// Nothing where `text` is not Base64; padding is optional.
std::optional<std::string> DecodeBase64(std::string_view text);

/// '-' and '_' for '+' and '/'.
std::string EncodeBase64Url(std::string_view bytes);

/// Nothing where `text` is anything but what EncodeBase64Url writes.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace arka

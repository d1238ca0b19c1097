// The spec's single-value binary serialization (Appendix D), in which manifests hold the lower and
// upper bounds of columns, and the truncation of string and binary bounds.
//
// Numbers are little-endian; decimals are the unscaled value as the shortest big-endian two's
// complement; uuid and fixed are their bytes as they stand.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace arka::iceberg {

std::string SerializeBoolean(bool value);
/// int, date
std::string SerializeInt(int32_t value);
/// long, time, timestamps
std::string SerializeLong(int64_t value);
std::string SerializeFloat(float value);
std::string SerializeDouble(double value);
/// `unscaled`: big-endian two's complement of any width, at least one byte.
std::string SerializeDecimal(std::span<const uint8_t> unscaled);
/// The same for a 128-bit unscaled value.
std::string SerializeDecimal(int64_t high_bits, uint64_t low_bits);

/// The length of truncated bounds: Iceberg's default metrics mode is truncate(16).
inline constexpr int kBoundLength = 16;

/// A lower bound for `value` (valid UTF-8) of at most `length` code points: its prefix.
std::string TruncateStringLower(std::string_view value, int length = kBoundLength);

/// An upper bound for `value` (valid UTF-8) of at most `length` code points: the value itself if it
/// is short enough, else its prefix with the last code point that can be incremented incremented
/// and what follows dropped; nothing where there is no such bound.
std::optional<std::string> TruncateStringUpper(std::string_view value, int length = kBoundLength);

/// The same for bytes.
std::string TruncateBinaryLower(std::string_view value, int length = kBoundLength);
std::optional<std::string> TruncateBinaryUpper(std::string_view value, int length = kBoundLength);

}  // namespace arka::iceberg

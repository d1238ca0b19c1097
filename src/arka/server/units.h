// Values as operators write them: 128MB, 100ms, localhost:8815.
//
// Parsers take the whole text or fail with kInvalidRequest, saying what they expected; formatters
// give text that parses back to the same value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka {

/// A number and a unit: B, KB, MB, GB, TB, each 1024 times the one before (KiB … TiB mean the
/// same). Decimals are fine where whole bytes come out; 0 needs no unit.
Result<int64_t> ParseSize(std::string_view text);
std::string FormatSize(int64_t bytes);

/// A number and a unit: us, ms, s, m, h, d. Decimals are fine where whole microseconds come out; 0
/// needs no unit.
Result<std::chrono::microseconds> ParseDuration(std::string_view text);
std::string FormatDuration(std::chrono::microseconds duration);

/// A whole number.
Result<int64_t> ParseCount(std::string_view text);

/// "true" or "false".
Result<bool> ParseBool(std::string_view text);

struct ListenAddress {
  std::string host = "localhost";
  uint16_t port = 8815;  // 0: the kernel picks one

  bool operator==(const ListenAddress&) const = default;
};

/// "host:port"; an IPv6 address stands in brackets.
Result<ListenAddress> ParseListenAddress(std::string_view text);
std::string FormatListenAddress(const ListenAddress& address);

}  // namespace arka

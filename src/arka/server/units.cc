#include "arka/server/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <system_error>

namespace arka {
namespace {

using std::chrono::microseconds;

struct Unit {
  std::string_view name;
  int64_t factor;
};

constexpr int64_t kKilo = 1024;
// The first unit of a size is the one that formatting falls back to; it looks from the last.
constexpr std::array kSizeUnits = {
    Unit{"B", 1},
    Unit{"KB", kKilo},
    Unit{"MB", kKilo* kKilo},
    Unit{"GB", kKilo* kKilo* kKilo},
    Unit{"TB", kKilo* kKilo* kKilo* kKilo},
};
constexpr std::array kOtherSizeUnits = {
    Unit{"KiB", kKilo},
    Unit{"MiB", kKilo* kKilo},
    Unit{"GiB", kKilo* kKilo* kKilo},
    Unit{"TiB", kKilo* kKilo* kKilo* kKilo},
};
constexpr std::array kDurationUnits = {
    Unit{"us", 1},
    Unit{"ms", 1'000},
    Unit{"s", 1'000'000},
    Unit{"h", 3'600'000'000},
};
constexpr std::array kOtherDurationUnits = {
    Unit{"m", 60'000'000},
    Unit{"d", 86'400'000'000},
};

std::optional<int64_t> FactorOf(std::string_view name, std::span<const Unit> units) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.name == name; });
  return found == units.end() ? std::nullopt : std::optional(found->factor);
}

/// `text` as a number and one of the units, in the smallest of them.
Result<int64_t> ParseQuantity(std::string_view text, std::span<const Unit> units,
                              std::span<const Unit> others, std::string_view expected) {
  const auto refuse = [&](std::string_view why) {
    return Error(ErrorCode::kInvalidRequest, "'", text, "' ", why, ": expected ", expected);
  };
  if (text == "0") return 0;
  if (text.starts_with('-')) return refuse("is negative");
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number)) return refuse("has no number");
  std::string_view name(rest, static_cast<size_t>(end - rest));
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  if (name.empty()) return refuse("has no unit");
  std::optional<int64_t> factor = FactorOf(name, units);
  if (!factor) factor = FactorOf(name, others);
  if (!factor) return refuse("has an unknown unit");
  const double value = number * static_cast<double>(*factor);
  // Doubles hold whole numbers exactly up to 2^53, far more than any setting needs.
  if (value > static_cast<double>(int64_t{1} << 53)) return refuse("is too large");
  if (value != std::floor(value)) return refuse("is no whole number of the smallest unit");
  return static_cast<int64_t>(value);
}

/// `value` in the largest unit that divides it.
std::string FormatQuantity(int64_t value, std::span<const Unit> units) {
  for (size_t i = units.size(); i-- > 0;) {
    if (value % units[i].factor == 0) {
      return std::to_string(value / units[i].factor) + std::string(units[i].name);
    }
  }
  return std::to_string(value);
}

}  // namespace

Result<int64_t> ParseSize(std::string_view text) {
  return ParseQuantity(text, kSizeUnits, kOtherSizeUnits,
                       "a size such as 128MB (units B, KB, MB, GB, TB)");
}

std::string FormatSize(int64_t bytes) {
  return bytes == 0 ? "0" : FormatQuantity(bytes, kSizeUnits);
}

Result<microseconds> ParseDuration(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const int64_t count,
                        ParseQuantity(text, kDurationUnits, kOtherDurationUnits,
                                      "a duration such as 100ms (units us, ms, s, m, h, d)"));
  return microseconds(count);
}

std::string FormatDuration(microseconds duration) {
  return duration.count() == 0 ? "0ms" : FormatQuantity(duration.count(), kDurationUnits);
}

Result<int64_t> ParseCount(std::string_view text) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) {
    return Error(ErrorCode::kInvalidRequest, "'", text, "' is not a whole number");
  }
  return number;
}

Result<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Error(ErrorCode::kInvalidRequest, "'", text, "': expected true or false");
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto refuse = [&] {
    return Error(ErrorCode::kInvalidRequest, "'", text,
                 "': expected host:port such as localhost:8815 or [::1]:8815");
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find_first_of("[] /") != std::string_view::npos ||
      (host.find(':') != std::string_view::npos) != in_brackets) {
    return refuse();
  }
  const Result<int64_t> port = ParseCount(text.substr(colon + 1));
  if (!port.ok() || *port < 0 || *port > std::numeric_limits<uint16_t>::max()) return refuse();
  return ListenAddress{std::string(host), static_cast<uint16_t>(*port)};
}

std::string FormatListenAddress(const ListenAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace arka

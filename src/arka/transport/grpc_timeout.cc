#include "arka/transport/grpc_timeout.h"

#include <algorithm>
#include <cstdint>

namespace arka::transport {
namespace {

constexpr int64_t kMaxSeconds = int64_t{10} * 365 * 24 * 3600;

std::chrono::nanoseconds Seconds(int64_t count) {
  return std::chrono::seconds(std::min(count, kMaxSeconds));
}

}  // namespace

std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  int64_t count = 0;
  for (char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    count = count * 10 + (c - '0');
  }
  switch (text.back()) {
    case 'H':
      return Seconds(count * 3600);
    case 'M':
      return Seconds(count * 60);
    case 'S':
      return Seconds(count);
    case 'm':
      return std::chrono::milliseconds(count);
    case 'u':
      return std::chrono::microseconds(count);
    case 'n':
      return std::chrono::nanoseconds(count);
    default:
      return std::nullopt;
  }
}

}  // namespace arka::transport

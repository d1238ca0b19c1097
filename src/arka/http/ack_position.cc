#include "arka/http/ack_position.h"

#include <charconv>

namespace arka::http {

std::string ToId(const AckPosition& position) {
  std::string id;
  for (const Lsn lsn : position) {
    if (!id.empty()) id += '.';
    id += std::to_string(lsn.value);
  }
  return id;
}

std::optional<AckPosition> ParseId(std::string_view id) {
  AckPosition position;
  const char* at = id.data();
  const char* const end = id.data() + id.size();
  for (size_t i = 0; i < position.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, position[i].value);
    if (error != std::errc() || position[i].value < 0) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return position;
}

}  // namespace arka::http

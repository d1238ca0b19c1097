#include "arka/transport/call.h"

namespace arka::transport {

std::optional<std::string_view> Find(const Metadata& metadata, std::string_view name) {
  for (const auto& [key, value] : metadata) {
    if (key == name) return std::string_view(value);
  }
  return std::nullopt;
}

}  // namespace arka::transport

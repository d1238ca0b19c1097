#include "arka/base/tier.h"

namespace arka {
namespace {
constexpr std::array<std::string_view, 4> kNames = {"MEMORY", "LOCAL_DISK", "OBJECT_STORAGE",
                                                    "COMMITTED"};
}  // namespace

std::string_view TierName(Tier tier) { return kNames[IndexOf(tier)]; }

std::optional<Tier> ParseTier(std::string_view name) {
  for (Tier tier : kAllTiers) {
    if (TierName(tier) == name) return tier;
  }
  return std::nullopt;
}

}  // namespace arka

// The four durability tiers of a write, in the order in which they are reached.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace arka {

enum class Tier : uint8_t { kMemory = 0, kLocalDisk = 1, kObjectStorage = 2, kCommitted = 3 };

inline constexpr std::array<Tier, 4> kAllTiers = {Tier::kMemory, Tier::kLocalDisk,
                                                  Tier::kObjectStorage, Tier::kCommitted};

constexpr size_t IndexOf(Tier tier) { return static_cast<size_t>(tier); }

/// The wire's word: MEMORY, LOCAL_DISK, OBJECT_STORAGE or COMMITTED.
std::string_view TierName(Tier tier);

/// The tier with that exact wire name, or nothing.
std::optional<Tier> ParseTier(std::string_view name);

}  // namespace arka

// Which key somebody meant who wrote one that does not exist.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace arka {

/// The candidate that is nearest to `name`: the same last part under another section, or few typing
/// errors away. "" where none is near.
std::string NearestName(std::string_view name, std::span<const std::string> candidates);

}  // namespace arka

// Names and texts as SQL spells them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace arka::sql {

/// `name` as an identifier.
std::string Quoted(std::string_view name);

/// `text` as a string.
std::string Literal(std::string_view text);

}  // namespace arka::sql

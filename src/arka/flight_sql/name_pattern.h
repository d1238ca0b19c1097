// The patterns by which Flight SQL's metadata commands choose names: those of SQL's LIKE.
#pragma once

#include <string_view>

namespace arka::flight_sql {

/// Whether all of `name` matches: '%' stands for any characters, '_' for one, and a backslash takes
/// the next character as it is.
bool MatchesPattern(std::string_view name, std::string_view pattern);

}  // namespace arka::flight_sql

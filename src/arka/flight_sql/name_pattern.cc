#include "arka/flight_sql/name_pattern.h"

#include <cstddef>

namespace arka::flight_sql {

// Greedy, with one place to come back to: the last '%', and how much of the name it took.
bool MatchesPattern(std::string_view name, std::string_view pattern) {
  size_t n = 0, p = 0, star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const char wanted = p < pattern.size() ? pattern[p + (escaped ? 1 : 0)] : '\0';
    if (p < pattern.size() && !escaped && wanted == '%') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && ((!escaped && wanted == '_') || wanted == name[n])) {
      ++n;
      p += escaped ? 2 : 1;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('%', p) == std::string_view::npos;
}

}  // namespace arka::flight_sql

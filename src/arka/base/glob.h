// Patterns of names: '*' stands for any characters, '?' for one; all else for itself.
#pragma once

#include <string_view>

namespace arka {

/// Whether all of `name` is what `pattern` asks for. Takes no longer than their lengths multiplied.
bool MatchesGlob(std::string_view name, std::string_view pattern);

}  // namespace arka

#include "arka/server/key_spelling.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace arka {
namespace {

/// Levenshtein's distance: insertions, deletions and replacements from one to the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view LastPartOf(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::string NearestName(std::string_view name, std::span<const std::string> candidates) {
  std::string nearest;
  size_t least = name.size() / 4 + 2;  // farther than this is another word
  for (const std::string& candidate : candidates) {
    const size_t distance =
        LastPartOf(candidate) == LastPartOf(name) ? 1 : EditDistance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace arka

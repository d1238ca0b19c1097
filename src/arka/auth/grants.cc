#include "arka/auth/grants.h"

#include <algorithm>

#include "arka/base/glob.h"

namespace arka::auth {
namespace {

bool Names(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return MatchesGlob(name, pattern); });
}

bool Gives(const Grant& grant, std::string_view principal, Right right) {
  return std::ranges::find(grant.rights, right) != grant.rights.end() &&
         Names(grant.principals, principal);
}

}  // namespace

bool Grants::Allow(std::string_view principal, Right right, std::string_view table) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return Gives(grant, principal, right) && Names(grant.tables, table);
  });
}

bool Grants::AllowOnAll(std::string_view principal, Right right) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return Gives(grant, principal, right) &&
           std::ranges::find(grant.tables, "*") != grant.tables.end();
  });
}

}  // namespace arka::auth

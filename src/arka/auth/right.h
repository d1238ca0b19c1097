// What somebody may be allowed to do with a table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace arka::auth {

enum class Right : uint8_t {
  kRead,   // see that it is there, its schema and its rows
  kWrite,  // add rows, with all that goes with it: producers, flush, commit; the first write may
           // create it where tables.auto_create is on
  kAdmin,  // create, alter, drop, seal
};

inline constexpr std::array<Right, 3> kRights = {Right::kRead, Right::kWrite, Right::kAdmin};

constexpr std::string_view RightName(Right right) {
  constexpr std::array<std::string_view, 3> kNames = {"read", "write", "admin"};
  return kNames[static_cast<size_t>(right)];
}

}  // namespace arka::auth

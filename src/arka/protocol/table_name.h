// The name of a table as clients write it: a namespace of one or more levels, and a name.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka::protocol {

inline constexpr size_t kMaxNamePartBytes = 128;
inline constexpr size_t kMaxNameParts = 8;

struct TableName {
  std::string namespace_name;  // levels joined by '.'
  std::string name;

  auto operator<=>(const TableName&) const = default;
  std::string ToString() const { return namespace_name + "." + name; }
};

/// The table that `parts` name: each part may itself be dotted, the last level is the name, and a
/// lone name lies in `default_namespace`. A level is 1 to 128 of A-Z a-z 0-9 _ - and does not start
/// with '-'; anything else is kInvalidRequest (so no name is ever a path, a quote or a look-alike).
Result<TableName> ParseTableName(const std::vector<std::string>& parts,
                                 std::string_view default_namespace);

}  // namespace arka::protocol

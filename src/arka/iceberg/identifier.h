// The name of a table in a catalog.
#pragma once

#include <compare>
#include <string>

namespace arka::iceberg {

struct TableIdentifier {
  std::string namespace_name = {};  // levels joined by '.', e.g. "sales" or "eu.sales"
  std::string name = {};

  auto operator<=>(const TableIdentifier&) const = default;
  std::string ToString() const { return namespace_name + "." + name; }
};

}  // namespace arka::iceberg

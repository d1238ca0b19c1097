// The name mapping of a table (spec: "Column Projection"): which field id a column has in data
// files that carry no field ids. Written as the table property below when Arka creates a table.
#pragma once

#include <string>

#include "arka/iceberg/schema.h"

namespace arka::iceberg {

inline constexpr char kNameMappingProperty[] = "schema.name-mapping.default";

/// The mapping of every field of `schema` to its own id and name, as the spec's JSON.
std::string NameMappingJson(const Schema& schema);

/// `mapping`, the JSON of an older schema of the table, with the names of `schema` at the top level
/// added: columns keep the names that they had, but for those that other columns have now. What
/// does not parse stays as it is.
std::string ExtendedNameMapping(const std::string& mapping, const Schema& schema);

}  // namespace arka::iceberg

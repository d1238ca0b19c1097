// The name mapping of a table (spec: "Column Projection"): which field id a column has in data
// files that carry no field ids. Written as the table property below when Arka creates a table.
#pragma once

#include <string>

#include "arka/iceberg/schema.h"

namespace arka::iceberg {

inline constexpr char kNameMappingProperty[] = "schema.name-mapping.default";

/// The mapping of every field of `schema` to its own id and name, as the spec's JSON.
std::string NameMappingJson(const Schema& schema);

}  // namespace arka::iceberg

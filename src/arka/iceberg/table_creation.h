// What a new table starts as: names checked, location chosen, the first metadata built. Pure, so
// that every catalog makes the same tables.
#pragma once

#include <string>

#include "arka/base/error.h"
#include "arka/iceberg/catalog.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"

namespace arka::iceberg {

/// kInvalidRequest for names that no file system or engine could hold: empty ones and empty
/// namespace levels, over 255 bytes, with '/', control characters or invalid UTF-8, "." and "..".
Status ValidateIdentifier(const TableIdentifier& identifier);

/// The table's folder under the warehouse, as an object key: "sales/orders". A part that has other
/// characters than letters, digits, '_', '-' and '.' gets them replaced and a random suffix, since
/// readers disagree on how URIs escape.
std::string DefaultTableKey(const TableIdentifier& identifier, Random& random);

/// Metadata of an empty, unpartitioned, unsorted table of format version 2 with fresh field ids
/// and, unless `creation` has one, a name mapping. kInvalidRequest for a bad schema.
Result<TableMetadata> NewTableMetadata(const TableCreation& creation, const std::string& location,
                                       const std::string& table_uuid, WallTime now);

}  // namespace arka::iceberg

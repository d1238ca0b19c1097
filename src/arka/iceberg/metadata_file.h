// The metadata files of a table in the warehouse: <location>/metadata/NNNNN-<uuid>.metadata.json.
// They are immutable; the catalog says which one is current.
#pragma once

#include <string>
#include <string_view>

#include "arka/base/error.h"
#include "arka/iceberg/table_metadata.h"
#include "arka/io/object_store.h"
#include "arka/io/random.h"

namespace arka::iceberg {

/// Where metadata files, manifests and manifest lists of the table go: the table property
/// write.metadata.path, or <location>/metadata. A URI without a trailing slash.
std::string MetadataDirectory(const TableMetadata& metadata);

/// The number that a metadata file's name starts with; -1 where it has none.
int MetadataVersion(std::string_view metadata_location);

/// Reads one, also where it is gzipped (*.gz.metadata.json). kInvalidRequest where it lies outside
/// the warehouse, kNotFound, kCorruption, kUnimplemented; the error names the file.
Result<TableMetadata> ReadMetadataFile(ObjectStore& warehouse, const std::string& location);

/// Writes `metadata` as version `version` under a new name; answers its URI. On an error nothing
/// refers to it.
Result<std::string> WriteMetadataFile(ObjectStore& warehouse, const TableMetadata& metadata,
                                      int version, Random& random);

}  // namespace arka::iceberg

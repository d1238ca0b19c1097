// Table metadata as the spec's JSON (Appendix C): the content of *.metadata.json.
#pragma once

#include <string>
#include <string_view>

#include "arka/base/error.h"
#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

/// The text for a metadata file. Members that were unknown when it was read are in it.
std::string TableMetadataToJson(const TableMetadata& metadata);

/// Reads metadata of format versions 1 to 3 from untrusted bytes. kCorruption for what is malformed
/// or refers to schemas, specs or snapshots that are not in it; kUnimplemented for other versions
/// and for column types that Arka does not know.
Result<TableMetadata> TableMetadataFromJson(std::string_view text);

/// The same for JSON that is part of something larger.
Result<TableMetadata> ParseTableMetadata(const Json& json);

}  // namespace arka::iceberg

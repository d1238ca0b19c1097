// Schemas as the spec's JSON (Appendix C), in table metadata and manifest headers.
#pragma once

#include <string>

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/schema.h"

namespace arka::iceberg {

OrderedJson SchemaToJson(const Schema& schema);

/// kCorruption for anything malformed; kUnimplemented for a type that Arka does not know.
Result<Schema> SchemaFromJson(const Json& json);

}  // namespace arka::iceberg

// NDJSON, one object a line, parsed by Arrow. Dates and times are text in ISO 8601, as are
// timestamps; binary columns take the text's bytes.
#pragma once

#include <memory>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::http {

/// All rows, with the columns of `schema`. kInvalidRequest, naming line and column.
Result<std::shared_ptr<arrow::Table>> ParseNdjson(const std::shared_ptr<arrow::Buffer>& body,
                                                  const std::shared_ptr<arrow::Schema>& schema);

}  // namespace arka::http

// CSV with a header line, parsed by Arrow. An empty field is null, in a column of strings too; ""
// is the empty string.
#pragma once

#include <memory>

#include <arrow/buffer.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::http {

/// All rows, with the columns of the header line. kInvalidRequest, naming row and column.
Result<std::shared_ptr<arrow::Table>> ParseCsv(const std::shared_ptr<arrow::Buffer>& body,
                                               const std::shared_ptr<arrow::Schema>& schema);

}  // namespace arka::http

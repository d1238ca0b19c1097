// What Arka says of itself in Flight SQL: CommandGetSqlInfo.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::flight_sql {

/// One row for each of `wanted` that is known; for all where none are wanted. `version` is the
/// server's.
Result<std::shared_ptr<arrow::RecordBatch>> SqlInfo(const std::vector<uint32_t>& wanted,
                                                    const std::string& version);

}  // namespace arka::flight_sql

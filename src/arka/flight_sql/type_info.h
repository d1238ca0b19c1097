// The SQL types that queries know, for CommandGetXdbcTypeInfo.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::flight_sql {

/// All of them, or those of one XdbcDataType; by rising data type, then by name.
Result<std::shared_ptr<arrow::RecordBatch>> XdbcTypeInfo(std::optional<int32_t> data_type);

}  // namespace arka::flight_sql

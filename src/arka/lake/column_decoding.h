// Replaces dictionary and run-end encoded values, at any depth of a column, by the values.
//
// A few bytes can stand for very many here (a million indices of one long string), so decoding has
// a budget that is checked before anything is allocated.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::lake {

/// `array`, which passed ValidateFull, as the type `logged`: that of its values. What is decoded is
/// taken off `budget_bytes`; kTooLarge where that is not enough.
Result<std::shared_ptr<arrow::Array>> DecodeColumn(const std::shared_ptr<arrow::Array>& array,
                                                   const std::shared_ptr<arrow::DataType>& logged,
                                                   int64_t& budget_bytes);

}  // namespace arka::lake

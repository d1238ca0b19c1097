// Rescales Arrow's temporal columns to the units that Iceberg stores.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/array/array_base.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::lake {

/// Whether RescaleTemporal brings values of `from` to `to`: times and timestamps of any unit to
/// microseconds, dates in milliseconds to days.
bool CanRescale(const arrow::DataType& from, const arrow::DataType& to);

/// `array` in the unit of `to`. Finer units are cut to the unit at or before (-1 ns is -1 µs).
/// A value out of range is kInvalidRequest, and `bad_row` says where; what nulls hide is not looked
/// at.
Result<std::shared_ptr<arrow::Array>> RescaleTemporal(const arrow::Array& array,
                                                      const std::shared_ptr<arrow::DataType>& to,
                                                      int64_t& bad_row);

}  // namespace arka::lake

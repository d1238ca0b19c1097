// Brings one column of a logged batch into its stored form.
//
// Pure functions over Arrow arrays that passed ValidateFull. Data is shared wherever the layouts
// agree; an array that is already as it is to be stored comes back itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/array/array_base.h>
#include <arrow/type_fwd.h>

#include "arka/base/error.h"

namespace arka::lake {

/// Aliased values (views, dictionaries, runs) may not expand a column beyond this.
inline constexpr int64_t kMaxExpandedBytes = 256LL << 20;

/// Which value of a column could not be stored.
struct Misfit {
  std::string path;  // dotted name of the field
  int64_t row = 0;   // row of the array that was handed in
};

/// `array` as the type of `storage`: widened, rescaled to microseconds, lists as lists whose null
/// entries are empty (the Parquet writer wants them so). `path` is the column's name. Where a
/// value does not fit: kInvalidRequest with the reason, and `misfit` says which.
Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::shared_ptr<arrow::Array>& array,
                                                    const arrow::Field& storage,
                                                    const std::string& path, Misfit& misfit);

/// The first null, in a converted column, in a field that does not allow nulls, at any depth; a
/// field within a null struct does not count.
std::optional<Misfit> FindForbiddenNull(const arrow::Array& array, const arrow::Field& storage,
                                        const std::string& path);

}  // namespace arka::lake

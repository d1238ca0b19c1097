// The lower and upper bound of one leaf column of a data file, gathered from the statistics of its
// row groups, in the form that manifests hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <parquet/types.h>

#include "arka/iceberg/type.h"

namespace arka::lake {

/// Values come and go in Parquet's plain encoding of one value (without the length of byte arrays).
class ColumnBounds {
 public:
  ColumnBounds(iceberg::Type type, parquet::Type::type physical);

  /// Widens the bounds to include a row group's `min` and `max`.
  void Add(std::string_view min, std::string_view max);

  /// A row group has values and no statistics: there are no bounds.
  void GiveUp() { given_up_ = true; }

  /// Nothing where no bound is known, or none can be written that every reader understands.
  std::optional<std::string> lower() const;
  std::optional<std::string> upper() const;

 private:
  bool Less(std::string_view a, std::string_view b) const;
  bool has_bounds() const { return !given_up_ && has_values_; }
  std::string Serialize(const std::string& value) const;

  const iceberg::Type type_;
  const parquet::Type::type physical_;
  bool given_up_ = false;
  bool has_values_ = false;
  std::string min_;
  std::string max_;
};

}  // namespace arka::lake

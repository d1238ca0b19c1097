#include "arka/lake/microseconds.h"

#include <limits>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

namespace arka::lake {
namespace {

using arrow::TimeUnit;

constexpr int64_t kMillisecondsPerDay = 86'400'000;
constexpr int64_t kNanosecondsPerMicrosecond = 1'000;

struct Scale {
  int64_t factor = 1;
  bool divides = false;
};

Scale ScaleToMicroseconds(TimeUnit::type unit) {
  switch (unit) {
    case TimeUnit::SECOND:
      return {1'000'000, false};
    case TimeUnit::MILLI:
      return {1'000, false};
    case TimeUnit::MICRO:
      return {1, false};
    case TimeUnit::NANO:
      break;
  }
  return {kNanosecondsPerMicrosecond, true};
}

Scale ScaleOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::TIMESTAMP:
      return ScaleToMicroseconds(static_cast<const arrow::TimestampType&>(type).unit());
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return ScaleToMicroseconds(static_cast<const arrow::TimeType&>(type).unit());
    default:  // DATE64
      return {kMillisecondsPerDay, true};
  }
}

int64_t FloorDivide(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// False where the value leaves the range of Out.
template <typename Out>
bool Apply(Scale scale, int64_t value, Out& out) {
  int64_t scaled = 0;
  if (scale.divides) {
    scaled = FloorDivide(value, scale.factor);
  } else if (__builtin_mul_overflow(value, scale.factor, &scaled)) {
    return false;
  }
  out = static_cast<Out>(scaled);
  return out == scaled;
}

template <typename In, typename Out>
Result<std::shared_ptr<arrow::Array>> Rescale(const arrow::Array& array,
                                              const std::shared_ptr<arrow::DataType>& to,
                                              int64_t& bad_row) {
  const Scale scale = ScaleOf(*array.type());
  const int64_t length = array.length();
  ARROW_ASSIGN_OR_RAISE(auto values, arrow::AllocateBuffer(length * sizeof(Out)));
  const In* in = array.data()->GetValues<In>(1);
  Out* out = reinterpret_cast<Out*>(values->mutable_data());
  const bool has_nulls = array.null_count() > 0;
  for (int64_t i = 0; i < length; ++i) {
    if (has_nulls && array.IsNull(i)) {
      out[i] = 0;
    } else if (!Apply(scale, in[i], out[i])) {
      bad_row = i;
      return Error(ErrorCode::kInvalidRequest, "the ", array.type()->ToString(), " value ", in[i],
                   " is out of the range of ", to->ToString());
    }
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (has_nulls) {
    ARROW_ASSIGN_OR_RAISE(
        validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(),
                                              array.null_bitmap_data(), array.offset(), length));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(
      to, length, {std::move(validity), std::move(values)}, array.null_count()));
}

}  // namespace

bool CanRescale(const arrow::DataType& from, const arrow::DataType& to) {
  switch (from.id()) {
    case arrow::Type::TIMESTAMP:
      return to.id() == arrow::Type::TIMESTAMP;
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return to.id() == arrow::Type::TIME64;
    case arrow::Type::DATE64:
      return to.id() == arrow::Type::DATE32;
    default:
      return false;
  }
}

Result<std::shared_ptr<arrow::Array>> RescaleTemporal(const arrow::Array& array,
                                                      const std::shared_ptr<arrow::DataType>& to,
                                                      int64_t& bad_row) {
  if (array.type_id() == arrow::Type::DATE64) {
    return Rescale<int64_t, int32_t>(array, to, bad_row);
  }
  if (array.type_id() == arrow::Type::TIME32) {
    return Rescale<int32_t, int64_t>(array, to, bad_row);
  }
  if (ScaleOf(*array.type()).factor == 1) {  // another name for the zone
    auto renamed = array.data()->Copy();
    renamed->type = to;
    return arrow::MakeArray(std::move(renamed));
  }
  return Rescale<int64_t, int64_t>(array, to, bad_row);
}

}  // namespace arka::lake

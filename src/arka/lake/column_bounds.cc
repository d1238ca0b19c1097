#include "arka/lake/column_bounds.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "arka/base/check.h"
#include "arka/iceberg/single_value.h"

namespace arka::lake {
namespace {

using iceberg::TypeId;

template <typename T>
T Decode(std::string_view plain) {
  ARKA_CHECK(plain.size() == sizeof(T));
  T value;
  std::memcpy(&value, plain.data(), sizeof value);
  return value;
}

template <typename T>
bool LessAs(std::string_view a, std::string_view b) {
  return Decode<T>(a) < Decode<T>(b);
}

/// Big-endian two's complement numbers of the same width.
bool LessSigned(std::string_view a, std::string_view b) {
  const auto sign = [](std::string_view x) { return static_cast<int8_t>(x[0]) < 0; };
  if (sign(a) != sign(b)) return sign(a);
  return a < b;
}

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string SerializeDecimal(int64_t unscaled) {
  return iceberg::SerializeDecimal(unscaled < 0 ? -1 : 0, static_cast<uint64_t>(unscaled));
}

}  // namespace

ColumnBounds::ColumnBounds(iceberg::Type type, parquet::Type::type physical)
    : type_(std::move(type)), physical_(physical) {}

bool ColumnBounds::Less(std::string_view a, std::string_view b) const {
  switch (physical_) {
    case parquet::Type::INT32:
      return LessAs<int32_t>(a, b);
    case parquet::Type::INT64:
      return LessAs<int64_t>(a, b);
    case parquet::Type::FLOAT:
      return LessAs<float>(a, b);
    case parquet::Type::DOUBLE:
      return LessAs<double>(a, b);
    default:  // std::string_view compares bytes as unsigned
      return type_.id == TypeId::kDecimal ? LessSigned(a, b) : a < b;
  }
}

void ColumnBounds::Add(std::string_view min, std::string_view max) {
  if (!has_values_ || Less(min, min_)) min_ = min;
  if (!has_values_ || Less(max_, max)) max_ = max;
  has_values_ = true;
}

std::optional<std::string> ColumnBounds::lower() const {
  if (!has_bounds()) return std::nullopt;
  switch (type_.id) {
    case TypeId::kString:
      return iceberg::TruncateStringLower(min_);
    case TypeId::kBinary:
      return iceberg::TruncateBinaryLower(min_);
    case TypeId::kFixed:
      if (type_.length > iceberg::kBoundLength) return std::nullopt;
      return min_;
    case TypeId::kUuid:
      // Some readers compare UUIDs as two signed numbers: bounds only where that agrees.
      if ((min_[0] ^ max_[0]) & 0x80) return std::nullopt;
      return min_;
    default:
      return Serialize(min_);
  }
}

std::optional<std::string> ColumnBounds::upper() const {
  if (!has_bounds()) return std::nullopt;
  switch (type_.id) {
    case TypeId::kString:
      return iceberg::TruncateStringUpper(max_);
    case TypeId::kBinary:
      return iceberg::TruncateBinaryUpper(max_);
    case TypeId::kFixed:
    case TypeId::kUuid:
      return lower() ? std::optional(max_) : std::nullopt;
    default:
      return Serialize(max_);
  }
}

std::string ColumnBounds::Serialize(const std::string& value) const {
  switch (physical_) {
    case parquet::Type::BOOLEAN:
      return iceberg::SerializeBoolean(value[0] != 0);
    case parquet::Type::INT32:
      return type_.id == TypeId::kDecimal ? SerializeDecimal(Decode<int32_t>(value))
                                          : iceberg::SerializeInt(Decode<int32_t>(value));
    case parquet::Type::INT64:
      return type_.id == TypeId::kDecimal ? SerializeDecimal(Decode<int64_t>(value))
                                          : iceberg::SerializeLong(Decode<int64_t>(value));
    case parquet::Type::FLOAT:
      return iceberg::SerializeFloat(Decode<float>(value));
    case parquet::Type::DOUBLE:
      return iceberg::SerializeDouble(Decode<double>(value));
    default:
      return iceberg::SerializeDecimal(Bytes(value));
  }
}

}  // namespace arka::lake

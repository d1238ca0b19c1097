// One decoded Avro value, and the bounds-checked decoder that makes it from untrusted bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/avro_schema.h"

namespace arka::iceberg {

/// null; boolean; int, long and enum; float; double; bytes, string and fixed; a record's fields or
/// an array's items, in order. A union is its branch's value; a map is an array of two-item arrays.
struct AvroValue {
  using Items = std::vector<AvroValue>;
  std::variant<std::monostate, bool, int64_t, float, double, std::string, Items> value;

  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
};

/// Reads values off the front of a buffer. Every error is kCorruption; after one the decoder is not
/// to be used. It never reads past the buffer, and the number of values it makes is bounded by the
/// buffer's size, whatever the counts in it say.
class AvroDecoder {
 public:
  /// `bytes` must outlive the decoder.
  explicit AvroDecoder(std::string_view bytes);

  Result<int64_t> Long();
  /// bytes or string; a view into the buffer.
  Result<std::string_view> Bytes();
  Result<std::string_view> Raw(int64_t size);
  Result<AvroValue> Value(const AvroSchema& schema);

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  Result<AvroValue> Value(const AvroSchema& schema, int depth);
  Result<AvroValue> Blocks(const AvroSchema& schema, int depth);

  std::string_view rest_;
  int64_t values_left_;
};

}  // namespace arka::iceberg

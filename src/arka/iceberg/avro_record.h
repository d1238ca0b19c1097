// Reads the fields of one decoded Avro record by field id, with the resolutions that Iceberg needs
// (int to long; a missing or null field is a default). Errors are kCorruption and name the field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/avro_schema.h"
#include "arka/iceberg/avro_value.h"

namespace arka::iceberg {

class AvroRecord {
 public:
  /// A view on `value`, a value of `schema`; both must outlive it.
  static Result<AvroRecord> Make(const AvroSchema& schema, const AvroValue& value);

  Result<int64_t> Long(int field_id, std::string_view name) const;
  Result<int> Int(int field_id, std::string_view name) const;
  Result<std::string> Bytes(int field_id, std::string_view name) const;
  Result<std::optional<bool>> OptionalBool(int field_id, std::string_view name) const;
  Result<std::optional<int64_t>> OptionalLong(int field_id, std::string_view name) const;
  Result<std::optional<int>> OptionalInt(int field_id, std::string_view name) const;
  Result<std::optional<std::string>> OptionalBytes(int field_id, std::string_view name) const;
  /// An array's items as they are; none where it is missing or null.
  Result<std::vector<int64_t>> LongArray(int field_id, std::string_view name) const;
  /// Iceberg's maps: arrays of records of two fields.
  Result<std::map<int, int64_t>> LongMap(int field_id, std::string_view name) const;
  Result<std::map<int, std::string>> BytesMap(int field_id, std::string_view name) const;
  /// A record within the record.
  Result<AvroRecord> Record(int field_id, std::string_view name) const;
  /// The records of an array of records.
  Result<std::vector<AvroRecord>> Records(int field_id, std::string_view name) const;

  /// All values, in the order of the schema.
  const AvroValue::Items& values() const { return *values_; }

 private:
  AvroRecord(const AvroSchema& schema, const AvroValue::Items& values)
      : schema_(&schema), values_(&values) {}

  struct Found {
    const AvroSchema* schema = nullptr;  // of the value itself, unions resolved
    const AvroValue* value = nullptr;    // null where it is missing or null
  };
  Found Find(int field_id, std::string_view name) const;
  template <typename T>
  Result<std::optional<T>> Get(int field_id, std::string_view name) const;
  template <typename T>
  Result<std::map<int, T>> Map(int field_id, std::string_view name) const;

  const AvroSchema* schema_;
  const AvroValue::Items* values_;
};

}  // namespace arka::iceberg

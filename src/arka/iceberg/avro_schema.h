// An Avro schema as a tree, parsed from the JSON in a container file's header, with the field ids
// that Iceberg adds to record fields ("field-id").
//
// Made from untrusted bytes: depth and size are bounded, recursive schemas are refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka::iceberg {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,  // fields
  kEnum,
  kArray,  // children[0]: items
  kMap,    // children[0]: values
  kFixed,  // fixed_size
  kUnion,  // children: branches
};

struct AvroSchema;
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;

struct AvroField {
  std::string name;
  std::optional<int> field_id;
  AvroSchemaPtr schema;
};

struct AvroSchema {
  AvroKind kind = AvroKind::kNull;
  std::vector<AvroField> fields;
  std::vector<AvroSchemaPtr> children;
  int64_t fixed_size = 0;
};

/// kCorruption for what is no Avro schema, kUnimplemented for a recursive one.
Result<AvroSchemaPtr> ParseAvroSchema(std::string_view json);

}  // namespace arka::iceberg

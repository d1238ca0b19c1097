// Iceberg's types, by the spec's own names (spec: "Schemas and Data Types").
//
// A Type is a plain value: a type id, the parameters of the parametric primitives, and the child
// fields of the nested ones. Every nested field carries the field id by which data files, manifests
// and readers know the column for ever; names may change, ids may not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arka/base/error.h"

namespace arka::iceberg {

enum class TypeId : uint8_t {
  kBoolean,
  kInt,   // 32 bits, signed
  kLong,  // 64 bits, signed
  kFloat,
  kDouble,
  kDecimal,        // decimal(P,S), P <= 38
  kDate,           // days since 1970-01-01
  kTime,           // microseconds since midnight
  kTimestamp,      // microseconds, no zone
  kTimestampTz,    // microseconds, UTC
  kTimestampNs,    // nanoseconds, no zone; format version 3
  kTimestampTzNs,  // nanoseconds, UTC; format version 3
  kString,
  kUuid,
  kFixed,  // fixed[L]
  kBinary,
  kStruct,
  kList,
  kMap,
};

struct NestedField;

struct Type {
  TypeId id = TypeId::kBoolean;
  int precision = 0;                // kDecimal
  int scale = 0;                    // kDecimal
  int length = 0;                   // kFixed, bytes
  std::vector<NestedField> fields;  // kStruct: its fields; kList: element; kMap: key, value

  Type();
  /// A primitive without parameters.
  Type(TypeId primitive);  // NOLINT(google-explicit-constructor): reads as the type's name
  ~Type();
  Type(const Type&);
  Type& operator=(const Type&);
  Type(Type&&) noexcept;
  Type& operator=(Type&&) noexcept;

  static Type Decimal(int precision, int scale);
  static Type Fixed(int length);
  static Type Struct(std::vector<NestedField> fields);
  static Type List(int element_id, Type element, bool element_required);
  static Type Map(int key_id, Type key, int value_id, Type value, bool value_required);

  bool is_nested() const { return id >= TypeId::kStruct; }
  bool is_primitive() const { return !is_nested(); }

  /// kList only.
  const NestedField& element() const;
  /// kMap only.
  const NestedField& key() const;
  const NestedField& value() const;

  /// The spec's JSON string of a primitive, e.g. "decimal(18, 4)"; of a nested type a readable
  /// form, e.g. "list<12: optional string>".
  std::string ToString() const;
};

struct NestedField {
  int id = 0;
  std::string name = {};  // "element", "key", "value" within lists and maps
  Type type = {};
  bool required = false;
  std::string doc = {};
  /// Further JSON members of the field (such as "initial-default") as the text of one JSON object,
  /// "" where there are none; written back as they came.
  std::string unknown_members = {};
};

bool operator==(const Type& a, const Type& b);
bool operator==(const NestedField& a, const NestedField& b);

/// The primitive type that the spec spells `text`; kUnimplemented for a type that Arka does not
/// know (variant, geometry …), kCorruption for a malformed one.
Result<Type> ParsePrimitiveType(std::string_view text);

/// The lowest format version that has this type: 3 for nanosecond timestamps, else 1.
int MinFormatVersion(const Type& type);

}  // namespace arka::iceberg

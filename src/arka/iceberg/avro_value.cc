#include "arka/iceberg/avro_value.h"

#include <bit>
#include <limits>
#include <utility>

namespace arka::iceberg {
namespace {

constexpr int kMaxDepth = 64;

Status Malformed(std::string_view what) {
  return Error(ErrorCode::kCorruption, "iceberg: malformed Avro data: ", what);
}

template <typename Unsigned>
Unsigned FromLittleEndian(std::string_view bytes) {
  Unsigned value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) {
    value |= static_cast<Unsigned>(static_cast<uint8_t>(bytes[i])) << (8 * i);
  }
  return value;
}

}  // namespace

// Values of no bytes (nulls, empty records) are what could make many out of little; manifests hold
// fewer than one of them per byte.
AvroDecoder::AvroDecoder(std::string_view bytes)
    : rest_(bytes), values_left_(4 * static_cast<int64_t>(bytes.size()) + 1024) {}

Result<int64_t> AvroDecoder::Long() {
  uint64_t bits = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) return Malformed("it ends within a number");
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      return static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
    }
  }
  return Malformed("a number of more than 64 bits");
}

Result<std::string_view> AvroDecoder::Raw(int64_t size) {
  if (size < 0 || static_cast<uint64_t>(size) > rest_.size()) {
    return Malformed("a length beyond the end");
  }
  const std::string_view raw = rest_.substr(0, static_cast<size_t>(size));
  rest_.remove_prefix(raw.size());
  return raw;
}

Result<std::string_view> AvroDecoder::Bytes() {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, Long());
  return Raw(size);
}

Result<AvroValue> AvroDecoder::Value(const AvroSchema& schema) { return Value(schema, 0); }

Result<AvroValue> AvroDecoder::Value(const AvroSchema& schema, int depth) {
  if (--values_left_ < 0) return Malformed("more values than its bytes can hold");
  if (depth > kMaxDepth) return Malformed("it nests too deeply");
  switch (schema.kind) {
    case AvroKind::kNull:
      return AvroValue{};
    case AvroKind::kBoolean: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view byte, Raw(1));
      if (static_cast<uint8_t>(byte[0]) > 1) return Malformed("a boolean");
      return AvroValue{byte[0] == 1};
    }
    case AvroKind::kInt: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, Long());
      if (value != static_cast<int32_t>(value)) return Malformed("an int of more than 32 bits");
      return AvroValue{value};
    }
    case AvroKind::kLong:
    case AvroKind::kEnum: {
      ARROW_ASSIGN_OR_RAISE(const int64_t value, Long());
      return AvroValue{value};
    }
    case AvroKind::kFloat: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Raw(4));
      return AvroValue{std::bit_cast<float>(FromLittleEndian<uint32_t>(bytes))};
    }
    case AvroKind::kDouble: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Raw(8));
      return AvroValue{std::bit_cast<double>(FromLittleEndian<uint64_t>(bytes))};
    }
    case AvroKind::kBytes:
    case AvroKind::kString: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Bytes());
      return AvroValue{std::string(bytes)};
    }
    case AvroKind::kFixed: {
      ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, Raw(schema.fixed_size));
      return AvroValue{std::string(bytes)};
    }
    case AvroKind::kRecord: {
      AvroValue::Items fields;
      fields.reserve(schema.fields.size());
      for (const AvroField& field : schema.fields) {
        ARROW_ASSIGN_OR_RAISE(AvroValue value, Value(*field.schema, depth + 1));
        fields.push_back(std::move(value));
      }
      return AvroValue{std::move(fields)};
    }
    case AvroKind::kArray:
    case AvroKind::kMap:
      return Blocks(schema, depth);
    case AvroKind::kUnion: {
      ARROW_ASSIGN_OR_RAISE(const int64_t branch, Long());
      if (branch < 0 || static_cast<uint64_t>(branch) >= schema.children.size()) {
        return Malformed("a union's branch");
      }
      return Value(*schema.children[static_cast<size_t>(branch)], depth + 1);
    }
  }
  return Malformed("an unknown kind of value");
}

Result<AvroValue> AvroDecoder::Blocks(const AvroSchema& schema, int depth) {
  AvroValue::Items items;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(int64_t count, Long());
    if (count == 0) return AvroValue{std::move(items)};
    if (count < 0) {  // the block's size in bytes follows, for readers that skip it
      if (count == std::numeric_limits<int64_t>::min()) return Malformed("a block's count");
      count = -count;
      ARROW_RETURN_NOT_OK(Long().status());
    }
    for (int64_t i = 0; i < count; ++i) {
      if (schema.kind == AvroKind::kArray) {
        ARROW_ASSIGN_OR_RAISE(AvroValue item, Value(*schema.children[0], depth + 1));
        items.push_back(std::move(item));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const std::string_view key, Bytes());
      ARROW_ASSIGN_OR_RAISE(AvroValue value, Value(*schema.children[0], depth + 1));
      AvroValue::Items entry;
      entry.push_back(AvroValue{std::string(key)});
      entry.push_back(std::move(value));
      items.push_back(AvroValue{std::move(entry)});
    }
  }
}

}  // namespace arka::iceberg

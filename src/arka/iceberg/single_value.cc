#include "arka/iceberg/single_value.h"

#include <array>
#include <bit>
#include <vector>

namespace arka::iceberg {
namespace {

constexpr uint32_t kMaxCodePoint = 0x10FFFF;

template <typename Unsigned>
std::string LittleEndian(Unsigned value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(value); ++i) {
    bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
  return bytes;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

/// The bytes of the first `count` code points.
std::string_view Prefix(std::string_view text, int count) {
  size_t end = 0;
  for (int i = 0; i < count && end < text.size(); ++i) {
    ++end;
    while (end < text.size() && IsContinuation(text[end])) ++end;
  }
  return text.substr(0, end);
}

uint32_t DecodeCodePoint(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  uint32_t point = bytes.size() == 1 ? lead : lead & (0x7FU >> bytes.size());
  for (const char c : bytes.substr(1)) point = point << 6 | (static_cast<uint8_t>(c) & 0x3F);
  return point;
}

std::string EncodeCodePoint(uint32_t point) {
  if (point < 0x80) return {static_cast<char>(point)};
  std::string tail;
  uint32_t lead_limit = 0x40;
  while (point >= lead_limit) {
    tail.insert(tail.begin(), static_cast<char>(0x80 | (point & 0x3F)));
    point >>= 6;
    lead_limit = tail.size() == 1 ? 0x20 : lead_limit >> 1;
  }
  const std::array<uint32_t, 4> marks = {0, 0xC0, 0xE0, 0xF0};
  tail.insert(tail.begin(), static_cast<char>(marks[tail.size()] | point));
  return tail;
}

}  // namespace

std::string SerializeBoolean(bool value) { return {static_cast<char>(value ? 1 : 0)}; }
std::string SerializeInt(int32_t value) { return LittleEndian(static_cast<uint32_t>(value)); }
std::string SerializeLong(int64_t value) { return LittleEndian(static_cast<uint64_t>(value)); }
std::string SerializeFloat(float value) { return LittleEndian(std::bit_cast<uint32_t>(value)); }
std::string SerializeDouble(double value) { return LittleEndian(std::bit_cast<uint64_t>(value)); }

std::string SerializeDecimal(std::span<const uint8_t> unscaled) {
  // A leading byte is redundant while it only repeats the sign of the one after it.
  while (unscaled.size() > 1) {
    const bool next_negative = (unscaled[1] & 0x80) != 0;
    if (unscaled[0] != (next_negative ? 0xFF : 0x00)) break;
    unscaled = unscaled.subspan(1);
  }
  return {unscaled.begin(), unscaled.end()};
}

std::string SerializeDecimal(int64_t high_bits, uint64_t low_bits) {
  std::array<uint8_t, 16> bytes;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(high_bits) >> (56 - 8 * i));
    bytes[8 + i] = static_cast<uint8_t>(low_bits >> (56 - 8 * i));
  }
  return SerializeDecimal(bytes);
}

std::string TruncateStringLower(std::string_view value, int length) {
  return std::string(Prefix(value, length));
}

std::optional<std::string> TruncateStringUpper(std::string_view value, int length) {
  std::string_view prefix = Prefix(value, length);
  if (prefix.size() == value.size()) return std::string(value);
  while (!prefix.empty()) {
    size_t start = prefix.size() - 1;
    while (start > 0 && IsContinuation(prefix[start])) --start;
    const uint32_t point = DecodeCodePoint(prefix.substr(start));
    prefix = prefix.substr(0, start);
    if (point < kMaxCodePoint) {
      // Surrogates are not code points of their own.
      const uint32_t next = point == 0xD7FF ? 0xE000 : point + 1;
      return std::string(prefix) + EncodeCodePoint(next);
    }
  }
  return std::nullopt;
}

std::string TruncateBinaryLower(std::string_view value, int length) {
  return std::string(value.substr(0, static_cast<size_t>(length)));
}

std::optional<std::string> TruncateBinaryUpper(std::string_view value, int length) {
  std::string bound(value.substr(0, static_cast<size_t>(length)));
  if (bound.size() == value.size()) return bound;
  while (!bound.empty()) {
    const auto last = static_cast<uint8_t>(bound.back());
    if (last != 0xFF) {
      bound.back() = static_cast<char>(last + 1);
      return bound;
    }
    bound.pop_back();
  }
  return std::nullopt;
}

}  // namespace arka::iceberg

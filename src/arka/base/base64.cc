#include "arka/base/base64.h"

#include <array>
#include <cstdint>

namespace arka {
namespace {

using Alphabet = std::string_view;
using Values = std::array<int8_t, 256>;

constexpr Alphabet kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr Alphabet kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr Values ValuesOf(Alphabet alphabet) {
  Values values{};
  for (auto& value : values) value = -1;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr Values kValues = ValuesOf(kAlphabet);
constexpr Values kUrlValues = ValuesOf(kUrlAlphabet);

std::string Encode(std::string_view bytes, Alphabet alphabet) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t window = 0;
  int bits = 0;
  for (char c : bytes) {
    window = window << 8 | static_cast<uint8_t>(c);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(alphabet[window >> bits & 63]);
    }
  }
  if (bits > 0) text.push_back(alphabet[window << (6 - bits) & 63]);
  return text;
}

std::optional<std::string> Decode(std::string_view text, const Values& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  uint32_t window = 0;
  int bits = 0;
  for (char c : text) {
    const int8_t value = values[static_cast<uint8_t>(c)];
    if (value < 0) return std::nullopt;
    window = window << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(window >> bits & 255));
    }
  }
  return bytes;
}

}  // namespace

std::string EncodeBase64(std::string_view bytes) { return Encode(bytes, kAlphabet); }

std::optional<std::string> DecodeBase64(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return Decode(text, kValues);
}

std::string EncodeBase64Url(std::string_view bytes) { return Encode(bytes, kUrlAlphabet); }

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  auto bytes = Decode(text, kUrlValues);
  // What is left over in the last character must be zero: one text for any bytes.
  if (bytes && EncodeBase64Url(*bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace arka

// Appends values in Avro's binary encoding to a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace arka::iceberg {

class AvroEncoder {
 public:
  /// int and long: zig-zag, seven bits a byte, lowest first.
  void Long(int64_t value) {
    uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    while (bits >= 0x80) {
      bytes_.push_back(static_cast<char>(bits | 0x80));
      bits >>= 7;
    }
    bytes_.push_back(static_cast<char>(bits));
  }

  void Boolean(bool value) { bytes_.push_back(value ? '\1' : '\0'); }

  /// bytes and string
  void Bytes(std::string_view value) {
    Long(static_cast<int64_t>(value.size()));
    Raw(value);
  }

  /// The branch of a union that follows; for ["null", T], 0 is the null itself and 1 is T.
  void Branch(int64_t index) { Long(index); }

  /// Opens an array or map of `count` items; zero items need nothing more, others EndBlocks().
  void BeginBlock(int64_t count) { Long(count); }
  void EndBlocks() { Long(0); }

  void Raw(std::string_view value) { bytes_.append(value); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace arka::iceberg

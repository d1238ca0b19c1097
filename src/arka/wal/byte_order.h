// Little-endian loads and stores at byte addresses: the log's formats are little-endian throughout.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace arka::wal {

static_assert(std::endian::native == std::endian::little, "the log's codecs copy native integers");

template <std::integral T>
T LoadLittle(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <std::integral T>
void StoreLittle(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace arka::wal

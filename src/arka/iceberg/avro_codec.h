// The codecs of Avro container blocks: null and deflate to write; these and zstandard to read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arka/base/error.h"

namespace arka::iceberg {

enum class AvroCodec : uint8_t { kNull, kDeflate, kZstandard };

/// The codec's name in `avro.codec`.
std::string_view AvroCodecName(AvroCodec codec);
/// kUnimplemented for a codec that Arka does not read.
Result<AvroCodec> ParseAvroCodec(std::string_view name);

Result<std::string> CompressBlock(AvroCodec codec, std::string_view bytes);

/// kCorruption for bytes that do not decompress, or decompress to more than `max_size_bytes`.
Result<std::string> DecompressBlock(AvroCodec codec, std::string_view bytes,
                                    int64_t max_size_bytes);

/// The same for a gzip file, which is how Java may write metadata JSON.
Result<std::string> GunzipFile(std::string_view bytes, int64_t max_size_bytes);

}  // namespace arka::iceberg

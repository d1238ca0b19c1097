#include "arka/iceberg/avro_codec.h"

#include <algorithm>
#include <memory>

#include <arrow/util/compression.h>

#include "arka/base/check.h"

namespace arka::iceberg {
namespace {

constexpr int kDeflateLevel = 6;

Result<std::unique_ptr<arrow::util::Codec>> MakeGzip(arrow::util::GZipFormat format) {
  arrow::util::GZipCodecOptions options;
  options.compression_level = kDeflateLevel;
  options.gzip_format = format;
  return arrow::util::Codec::Create(arrow::Compression::GZIP, options);
}

Result<std::unique_ptr<arrow::util::Codec>> MakeCodec(AvroCodec codec) {
  ARKA_CHECK(codec != AvroCodec::kNull);
  if (codec == AvroCodec::kDeflate) return MakeGzip(arrow::util::GZipFormat::DEFLATE);
  return arrow::util::Codec::Create(arrow::Compression::ZSTD);
}

const uint8_t* Data(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

/// Decompresses step by step, so that a small input cannot claim a large buffer at once.
Result<std::string> Decompress(arrow::util::Codec& codec, std::string_view input,
                               int64_t max_size_bytes) {
  ARROW_ASSIGN_OR_RAISE(auto decompressor, codec.MakeDecompressor());
  std::string output;
  int64_t filled = 0;
  while (!decompressor->IsFinished()) {
    const auto capacity = static_cast<int64_t>(output.size());
    if (filled == capacity) {
      if (capacity >= max_size_bytes) {
        return Error(ErrorCode::kCorruption, "iceberg: a compressed block holds more than ",
                     max_size_bytes, " bytes");
      }
      const int64_t grown =
          std::max<int64_t>({2 * capacity, 4 * static_cast<int64_t>(input.size()), 4096});
      output.resize(static_cast<size_t>(std::min(grown, max_size_bytes)));
    }
    const auto step = decompressor->Decompress(static_cast<int64_t>(input.size()), Data(input),
                                               static_cast<int64_t>(output.size()) - filled,
                                               reinterpret_cast<uint8_t*>(output.data()) + filled);
    if (!step.ok()) {
      return Error(ErrorCode::kCorruption,
                   "iceberg: a compressed block is damaged: ", step.status().message());
    }
    input.remove_prefix(static_cast<size_t>(step->bytes_read));
    filled += step->bytes_written;
    const bool stuck = step->bytes_read == 0 && step->bytes_written == 0;
    if (stuck && filled < static_cast<int64_t>(output.size())) {
      return Error(ErrorCode::kCorruption, "iceberg: a compressed block is cut short");
    }
  }
  output.resize(static_cast<size_t>(filled));
  return output;
}

}  // namespace

std::string_view AvroCodecName(AvroCodec codec) {
  switch (codec) {
    case AvroCodec::kNull:
      return "null";
    case AvroCodec::kDeflate:
      return "deflate";
    case AvroCodec::kZstandard:
      return "zstandard";
  }
  return "";
}

Result<AvroCodec> ParseAvroCodec(std::string_view name) {
  for (const AvroCodec codec : {AvroCodec::kNull, AvroCodec::kDeflate, AvroCodec::kZstandard}) {
    if (name == AvroCodecName(codec)) return codec;
  }
  return Error(ErrorCode::kUnimplemented, "iceberg: the Avro codec '", name.substr(0, 32),
               "' is not supported; null, deflate and zstandard are");
}

Result<std::string> CompressBlock(AvroCodec codec, std::string_view bytes) {
  if (codec == AvroCodec::kNull) return std::string(bytes);
  ARROW_ASSIGN_OR_RAISE(auto compressor, MakeCodec(codec));
  const auto size = static_cast<int64_t>(bytes.size());
  std::string output(static_cast<size_t>(compressor->MaxCompressedLen(size, Data(bytes))), '\0');
  ARROW_ASSIGN_OR_RAISE(const int64_t written,
                        compressor->Compress(size, Data(bytes), static_cast<int64_t>(output.size()),
                                             reinterpret_cast<uint8_t*>(output.data())));
  output.resize(static_cast<size_t>(written));
  return output;
}

Result<std::string> DecompressBlock(AvroCodec codec, std::string_view bytes,
                                    int64_t max_size_bytes) {
  if (codec == AvroCodec::kNull) return std::string(bytes);
  ARROW_ASSIGN_OR_RAISE(auto decompressor, MakeCodec(codec));
  return Decompress(*decompressor, bytes, max_size_bytes);
}

Result<std::string> GunzipFile(std::string_view bytes, int64_t max_size_bytes) {
  ARROW_ASSIGN_OR_RAISE(auto codec, MakeGzip(arrow::util::GZipFormat::GZIP));
  return Decompress(*codec, bytes, max_size_bytes);
}

}  // namespace arka::iceberg

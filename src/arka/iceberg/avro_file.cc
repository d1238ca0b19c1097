#include "arka/iceberg/avro_file.h"

#include "arka/iceberg/avro_encoder.h"

namespace arka::iceberg {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr size_t kBlockTargetBytes = 64 << 10;
/// Writers that put a whole manifest into one block stay far below this.
constexpr int64_t kMaxBlockBytes = 256 << 20;

Status Malformed(std::string_view what) {
  return Error(ErrorCode::kCorruption, "iceberg: malformed Avro file: ", what);
}

}  // namespace

AvroFileWriter::AvroFileWriter(std::string_view schema_json, const AvroMetadata& metadata,
                               AvroCodec codec, const AvroSyncMarker& sync_marker)
    : codec_(codec), sync_marker_(sync_marker) {
  AvroEncoder header;
  header.Raw(kMagic);
  header.BeginBlock(static_cast<int64_t>(metadata.size()) + 2);
  header.Bytes("avro.schema");
  header.Bytes(schema_json);
  header.Bytes("avro.codec");
  header.Bytes(AvroCodecName(codec));
  for (const auto& [key, value] : metadata) {
    header.Bytes(key);
    header.Bytes(value);
  }
  header.EndBlocks();
  header.Raw({sync_marker_.data(), sync_marker_.size()});
  file_ = header.Take();
}

Status AvroFileWriter::Append(std::string_view encoded_record) {
  block_.append(encoded_record);
  ++block_records_;
  return block_.size() < kBlockTargetBytes ? Status::OK() : CloseBlock();
}

int64_t AvroFileWriter::size_estimate_bytes() const {
  return static_cast<int64_t>(file_.size() + block_.size());
}

Result<std::string> AvroFileWriter::Finish() {
  ARROW_RETURN_NOT_OK(CloseBlock());
  return std::move(file_);
}

Status AvroFileWriter::CloseBlock() {
  if (block_records_ == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const std::string compressed, CompressBlock(codec_, block_));
  AvroEncoder block;
  block.Long(block_records_);
  block.Bytes(compressed);
  block.Raw({sync_marker_.data(), sync_marker_.size()});
  file_.append(block.bytes());
  block_.clear();
  block_records_ = 0;
  return Status::OK();
}

Result<AvroFileReader> AvroFileReader::Make(std::string_view file) {
  if (!file.starts_with(kMagic)) return Malformed("it does not start with 'Obj' 1");
  AvroFileReader reader;
  AvroDecoder decoder(file.substr(kMagic.size()));
  auto bytes = std::make_shared<AvroSchema>();
  bytes->kind = AvroKind::kBytes;
  AvroSchema map;
  map.kind = AvroKind::kMap;
  map.children.push_back(std::move(bytes));
  ARROW_ASSIGN_OR_RAISE(const AvroValue header, decoder.Value(map));
  for (const AvroValue& item : std::get<AvroValue::Items>(header.value)) {
    const auto& entry = std::get<AvroValue::Items>(item.value);
    reader.metadata_.emplace_back(std::get<std::string>(entry[0].value),
                                  std::get<std::string>(entry[1].value));
  }
  ARROW_ASSIGN_OR_RAISE(reader.sync_marker_, decoder.Raw(AvroSyncMarker().size()));
  reader.blocks_ = decoder.rest();
  ARROW_ASSIGN_OR_RAISE(reader.schema_, ParseAvroSchema(reader.FindMetadata("avro.schema")));
  const std::string_view codec = reader.FindMetadata("avro.codec");
  if (!codec.empty()) {
    ARROW_ASSIGN_OR_RAISE(reader.codec_, ParseAvroCodec(codec));
  }
  return reader;
}

std::string_view AvroFileReader::FindMetadata(std::string_view key) const {
  for (const auto& [name, value] : metadata_) {
    if (name == key) return value;
  }
  return {};
}

Status AvroFileReader::ForEach(const std::function<Status(const AvroValue&)>& visit) const {
  AvroDecoder file(blocks_);
  while (!file.at_end()) {
    ARROW_ASSIGN_OR_RAISE(const int64_t count, file.Long());
    ARROW_ASSIGN_OR_RAISE(const std::string_view compressed, file.Bytes());
    ARROW_ASSIGN_OR_RAISE(const std::string_view marker, file.Raw(AvroSyncMarker().size()));
    if (marker != sync_marker_) return Malformed("a block does not end with the sync marker");
    ARROW_ASSIGN_OR_RAISE(const std::string block,
                          DecompressBlock(codec_, compressed, kMaxBlockBytes));
    AvroDecoder decoder(block);
    for (int64_t i = 0; i < count; ++i) {
      ARROW_ASSIGN_OR_RAISE(const AvroValue record, decoder.Value(*schema_));
      ARROW_RETURN_NOT_OK(visit(record));
    }
    if (count < 0 || !decoder.at_end()) return Malformed("a block's count is not its content");
  }
  return Status::OK();
}

}  // namespace arka::iceberg

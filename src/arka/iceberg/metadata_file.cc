#include "arka/iceberg/metadata_file.h"

#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>

#include <arrow/buffer.h>

#include "arka/iceberg/avro_codec.h"
#include "arka/iceberg/table_metadata_json.h"

namespace arka::iceberg {
namespace {

constexpr char kMetadataPath[] = "write.metadata.path";
constexpr int64_t kMaxMetadataBytes = 1 << 30;

bool IsGzipped(std::string_view location) {
  return location.ends_with(".gz.metadata.json") || location.ends_with(".metadata.json.gz");
}

}  // namespace

std::string MetadataDirectory(const TableMetadata& metadata) {
  const auto property = metadata.properties.find(kMetadataPath);
  std::string directory =
      property != metadata.properties.end() ? property->second : metadata.location;
  while (directory.ends_with('/')) directory.pop_back();
  return property != metadata.properties.end() ? directory : directory + "/metadata";
}

int MetadataVersion(std::string_view metadata_location) {
  const std::string_view name = metadata_location.substr(metadata_location.rfind('/') + 1);
  int version = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  const bool found = error == std::errc() && end != name.data() + name.size() && *end == '-';
  return found && version >= 0 ? version : -1;
}

Result<TableMetadata> ReadMetadataFile(ObjectStore& warehouse, const std::string& location) {
  const auto read = [&]() -> Result<TableMetadata> {
    ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse.KeyOf(location));
    ARROW_ASSIGN_OR_RAISE(const auto buffer, warehouse.Get(key));
    const auto bytes = std::string_view(*buffer);
    if (!IsGzipped(location)) return TableMetadataFromJson(bytes);
    ARROW_ASSIGN_OR_RAISE(const std::string text, GunzipFile(bytes, kMaxMetadataBytes));
    return TableMetadataFromJson(text);
  };
  Result<TableMetadata> metadata = read();
  if (!metadata.ok()) return WithContext(metadata.status(), location);
  return metadata;
}

Result<std::string> WriteMetadataFile(ObjectStore& warehouse, const TableMetadata& metadata,
                                      int version, Random& random) {
  char number[16];
  std::snprintf(number, sizeof(number), "%05d", version);
  const std::string location =
      MetadataDirectory(metadata) + "/" + number + "-" + MakeUuid(random) + ".metadata.json";
  ARROW_ASSIGN_OR_RAISE(const std::string key, warehouse.KeyOf(location));
  const auto buffer = arrow::Buffer::FromString(TableMetadataToJson(metadata));
  ARROW_RETURN_NOT_OK(warehouse.Put(key, {&buffer, 1}));
  return warehouse.Uri(key);
}

}  // namespace arka::iceberg

// Table metadata from arbitrary bytes: an error, or metadata that writing and reading keep.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arka/base/check.h"
#include "arka/iceberg/table_metadata_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using arka::iceberg::TableMetadataFromJson;
  using arka::iceberg::TableMetadataToJson;
  const auto metadata =
      TableMetadataFromJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!metadata.ok()) return 0;
  const std::string text = TableMetadataToJson(*metadata);
  const auto again = TableMetadataFromJson(text);
  ARKA_CHECK(again.ok());
  ARKA_CHECK(TableMetadataToJson(*again) == text);
  return 0;
}

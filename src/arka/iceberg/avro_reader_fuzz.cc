// Manifests and manifest lists from arbitrary bytes: an error or a value, within the bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  (void)arka::iceberg::ReadManifestList(file);
  (void)arka::iceberg::ReadManifest(file, {});
  return 0;
}

// The Avro schemas of manifests and manifest lists of format version 2, as JSON text, with the
// spec's field ids. They are what the reference implementations write, docs aside.
#pragma once

#include <string>

namespace arka::iceberg {

/// Schema of manifest_entry records whose files have an empty partition tuple.
std::string ManifestEntryAvroSchema();

/// Schema of manifest_file records.
std::string ManifestFileAvroSchema();

}  // namespace arka::iceberg

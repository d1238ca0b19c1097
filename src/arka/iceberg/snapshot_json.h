// The parts of table metadata that concern snapshots, as the spec's JSON.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "arka/base/error.h"
#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_metadata.h"

namespace arka::iceberg {

OrderedJson SnapshotToJson(const Snapshot& snapshot);
Result<Snapshot> SnapshotFromJson(const Json& json);

OrderedJson SnapshotRefsToJson(const std::map<std::string, SnapshotRef>& refs);
/// `json` may be null: no refs.
Result<std::map<std::string, SnapshotRef>> SnapshotRefsFromJson(const Json* json);

OrderedJson SnapshotLogToJson(const std::vector<SnapshotLogEntry>& log);
Result<std::vector<SnapshotLogEntry>> SnapshotLogFromJson(const Json& array);

OrderedJson MetadataLogToJson(const std::vector<MetadataLogEntry>& log);
Result<std::vector<MetadataLogEntry>> MetadataLogFromJson(const Json& array);

}  // namespace arka::iceberg

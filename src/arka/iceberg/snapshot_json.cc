#include "arka/iceberg/snapshot_json.h"

#include <utility>

namespace arka::iceberg {

OrderedJson SnapshotToJson(const Snapshot& snapshot) {
  OrderedJson json = {{"sequence-number", snapshot.sequence_number},
                      {"snapshot-id", snapshot.snapshot_id}};
  if (snapshot.parent_snapshot_id) json["parent-snapshot-id"] = *snapshot.parent_snapshot_id;
  json["timestamp-ms"] = snapshot.timestamp_ms;
  OrderedJson summary = OrderedJson::object();
  const auto operation = snapshot.summary.find("operation");
  if (operation != snapshot.summary.end()) summary["operation"] = operation->second;
  for (const auto& [key, value] : snapshot.summary) summary[key] = value;
  if (!summary.empty()) json["summary"] = std::move(summary);
  if (!snapshot.manifest_list.empty()) json["manifest-list"] = snapshot.manifest_list;
  if (snapshot.schema_id) json["schema-id"] = *snapshot.schema_id;
  AddUnknownMembers(json, snapshot.unknown_members);
  return json;
}

Result<Snapshot> SnapshotFromJson(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(json, "a snapshot"));
  Snapshot snapshot;
  ARROW_ASSIGN_OR_RAISE(const auto sequence_number, reader.OptionalLong("sequence-number"));
  snapshot.sequence_number = sequence_number.value_or(0);
  ARROW_ASSIGN_OR_RAISE(snapshot.snapshot_id, reader.Long("snapshot-id"));
  ARROW_ASSIGN_OR_RAISE(snapshot.parent_snapshot_id, reader.OptionalLong("parent-snapshot-id"));
  ARROW_ASSIGN_OR_RAISE(snapshot.timestamp_ms, reader.Long("timestamp-ms"));
  ARROW_ASSIGN_OR_RAISE(snapshot.summary, reader.StringMap("summary"));
  ARROW_ASSIGN_OR_RAISE(auto manifest_list, reader.OptionalString("manifest-list"));
  snapshot.manifest_list = std::move(manifest_list).value_or("");
  ARROW_ASSIGN_OR_RAISE(snapshot.schema_id, reader.OptionalInt("schema-id"));
  snapshot.unknown_members = reader.UnknownMembers();
  return snapshot;
}

OrderedJson SnapshotRefsToJson(const std::map<std::string, SnapshotRef>& refs) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, ref] : refs) {
    OrderedJson item = {{"snapshot-id", ref.snapshot_id}, {"type", ref.type}};
    if (ref.min_snapshots_to_keep) item["min-snapshots-to-keep"] = *ref.min_snapshots_to_keep;
    if (ref.max_snapshot_age_ms) item["max-snapshot-age-ms"] = *ref.max_snapshot_age_ms;
    if (ref.max_ref_age_ms) item["max-ref-age-ms"] = *ref.max_ref_age_ms;
    AddUnknownMembers(item, ref.unknown_members);
    json[name] = std::move(item);
  }
  return json;
}

Result<std::map<std::string, SnapshotRef>> SnapshotRefsFromJson(const Json* json) {
  std::map<std::string, SnapshotRef> refs;
  if (json == nullptr) return refs;
  if (!json->is_object()) return Error(ErrorCode::kCorruption, "iceberg: 'refs' is not an object");
  for (const auto& [name, item] : json->items()) {
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(item, "a snapshot reference"));
    SnapshotRef ref;
    ARROW_ASSIGN_OR_RAISE(ref.snapshot_id, reader.Long("snapshot-id"));
    ARROW_ASSIGN_OR_RAISE(ref.type, reader.String("type"));
    ARROW_ASSIGN_OR_RAISE(ref.min_snapshots_to_keep, reader.OptionalLong("min-snapshots-to-keep"));
    ARROW_ASSIGN_OR_RAISE(ref.max_snapshot_age_ms, reader.OptionalLong("max-snapshot-age-ms"));
    ARROW_ASSIGN_OR_RAISE(ref.max_ref_age_ms, reader.OptionalLong("max-ref-age-ms"));
    ref.unknown_members = reader.UnknownMembers();
    refs.emplace(name, std::move(ref));
  }
  return refs;
}

OrderedJson SnapshotLogToJson(const std::vector<SnapshotLogEntry>& log) {
  OrderedJson array = OrderedJson::array();
  for (const SnapshotLogEntry& entry : log) {
    array.push_back({{"timestamp-ms", entry.timestamp_ms}, {"snapshot-id", entry.snapshot_id}});
  }
  return array;
}

Result<std::vector<SnapshotLogEntry>> SnapshotLogFromJson(const Json& array) {
  std::vector<SnapshotLogEntry> log;
  for (const Json& item : array) {
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(item, "a snapshot-log entry"));
    SnapshotLogEntry entry;
    ARROW_ASSIGN_OR_RAISE(entry.timestamp_ms, reader.Long("timestamp-ms"));
    ARROW_ASSIGN_OR_RAISE(entry.snapshot_id, reader.Long("snapshot-id"));
    log.push_back(entry);
  }
  return log;
}

OrderedJson MetadataLogToJson(const std::vector<MetadataLogEntry>& log) {
  OrderedJson array = OrderedJson::array();
  for (const MetadataLogEntry& entry : log) {
    array.push_back({{"timestamp-ms", entry.timestamp_ms}, {"metadata-file", entry.metadata_file}});
  }
  return array;
}

Result<std::vector<MetadataLogEntry>> MetadataLogFromJson(const Json& array) {
  std::vector<MetadataLogEntry> log;
  for (const Json& item : array) {
    ARROW_ASSIGN_OR_RAISE(JsonReader reader, JsonReader::Make(item, "a metadata-log entry"));
    MetadataLogEntry entry;
    ARROW_ASSIGN_OR_RAISE(entry.timestamp_ms, reader.Long("timestamp-ms"));
    ARROW_ASSIGN_OR_RAISE(entry.metadata_file, reader.String("metadata-file"));
    log.push_back(std::move(entry));
  }
  return log;
}

}  // namespace arka::iceberg

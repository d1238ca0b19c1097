#include "arka/iceberg/table_update.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace arka::iceberg {
namespace {

constexpr char kPreviousVersionsMax[] = "write.metadata.previous-versions-max";
constexpr size_t kDefaultPreviousVersions = 100;

template <typename... Parts>
Status Refuse(Parts&&... parts) {
  return Error(ErrorCode::kInvalidRequest, "iceberg: ", std::forward<Parts>(parts)...);
}

/// Applies one update after the other to `metadata`, which is a copy of the base.
class Applier {
 public:
  Applier(TableMetadata& metadata, int64_t now_ms) : metadata_(metadata), now_ms_(now_ms) {}

  Status operator()(const AssignUuid& update) {
    if (!metadata_.table_uuid.empty() && metadata_.table_uuid != update.uuid) {
      return Refuse("the table has the uuid ", metadata_.table_uuid, " already");
    }
    metadata_.table_uuid = update.uuid;
    return Status::OK();
  }

  Status operator()(const AddSchema& update) {
    ARROW_RETURN_NOT_OK(ValidateSchema(update.schema, metadata_.format_version));
    for (const Schema& schema : metadata_.schemas) {
      if (SameStructure(schema, update.schema)) {
        last_added_schema_id_ = schema.schema_id;
        return Status::OK();
      }
    }
    Schema added = update.schema;
    added.schema_id = 0;
    for (const Schema& schema : metadata_.schemas) {
      added.schema_id = std::max(added.schema_id, schema.schema_id + 1);
    }
    metadata_.last_column_id = std::max(metadata_.last_column_id, added.HighestFieldId());
    last_added_schema_id_ = added.schema_id;
    metadata_.schemas.push_back(std::move(added));
    return Status::OK();
  }

  Status operator()(const SetCurrentSchema& update) {
    int id = update.schema_id;
    if (id == kLastAdded) {
      if (!last_added_schema_id_) return Refuse("no schema was added in this commit");
      id = *last_added_schema_id_;
    }
    if (metadata_.FindSchema(id) == nullptr) return Refuse("there is no schema ", id);
    metadata_.current_schema_id = id;
    return Status::OK();
  }

  Status operator()(const AddSnapshot& update) {
    const Snapshot& snapshot = update.snapshot;
    if (metadata_.format_version != 2) {
      return Error(ErrorCode::kUnimplemented, "iceberg: the table is of format version ",
                   metadata_.format_version, "; Arka writes to version 2 only");
    }
    if (snapshot.snapshot_id < 0 || metadata_.FindSnapshot(snapshot.snapshot_id) != nullptr) {
      return Refuse("the snapshot id ", snapshot.snapshot_id, " is taken or negative");
    }
    if (snapshot.sequence_number <= metadata_.last_sequence_number) {
      return Refuse("the snapshot's sequence number ", snapshot.sequence_number,
                    " is not above the table's ", metadata_.last_sequence_number);
    }
    metadata_.last_sequence_number = snapshot.sequence_number;
    metadata_.snapshots.push_back(snapshot);
    added_snapshot_ids_.insert(snapshot.snapshot_id);
    now_ms_ = std::max(now_ms_, snapshot.timestamp_ms);
    return Status::OK();
  }

  Status operator()(const SetSnapshotRef& update) {
    const Snapshot* snapshot = metadata_.FindSnapshot(update.value.snapshot_id);
    if (snapshot == nullptr) {
      return Refuse("'", update.ref, "' cannot point at snapshot ", update.value.snapshot_id,
                    ", which is not there");
    }
    metadata_.refs[update.ref] = update.value;
    const bool moves = metadata_.current_snapshot_id != update.value.snapshot_id;
    if (update.ref != kMainBranch || !moves) return Status::OK();
    metadata_.current_snapshot_id = snapshot->snapshot_id;
    const bool added = added_snapshot_ids_.contains(snapshot->snapshot_id);
    metadata_.snapshot_log.push_back({.timestamp_ms = added ? snapshot->timestamp_ms : now_ms_,
                                      .snapshot_id = snapshot->snapshot_id});
    return Status::OK();
  }

  Status operator()(const RemoveSnapshotRef& update) {
    metadata_.refs.erase(update.ref);
    if (update.ref == kMainBranch) {
      metadata_.current_snapshot_id = kNoSnapshotId;
      metadata_.snapshot_log.clear();
    }
    return Status::OK();
  }

  Status operator()(const RemoveSnapshots& update) {
    const std::set<int64_t> ids(update.snapshot_ids.begin(), update.snapshot_ids.end());
    for (const auto& [name, ref] : metadata_.refs) {
      if (ids.contains(ref.snapshot_id)) {
        return Refuse("snapshot ", ref.snapshot_id, " is still referred to by '", name, "'");
      }
    }
    std::erase_if(metadata_.snapshots,
                  [&](const Snapshot& snapshot) { return ids.contains(snapshot.snapshot_id); });
    // The log tells who was current when; what lies before a gap is no longer the whole story.
    auto& log = metadata_.snapshot_log;
    const auto gap = std::find_if(log.rbegin(), log.rend(), [&](const SnapshotLogEntry& entry) {
      return ids.contains(entry.snapshot_id);
    });
    log.erase(log.begin(), gap.base());
    return Status::OK();
  }

  Status operator()(const SetProperties& update) {
    for (const auto& [key, value] : update.updates) metadata_.properties[key] = value;
    return Status::OK();
  }

  Status operator()(const RemoveProperties& update) {
    for (const std::string& key : update.removals) metadata_.properties.erase(key);
    return Status::OK();
  }

  Status operator()(const SetLocation& update) {
    metadata_.location = update.location;
    return Status::OK();
  }

  int64_t now_ms() const { return now_ms_; }

 private:
  TableMetadata& metadata_;
  int64_t now_ms_;
  std::optional<int> last_added_schema_id_;
  std::set<int64_t> added_snapshot_ids_;
};

}  // namespace

Result<TableMetadata> Apply(const TableMetadata& base,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates, WallTime now) {
  for (const TableRequirement& requirement : requirements) {
    ARROW_RETURN_NOT_OK(CheckRequirement(&base, requirement));
  }
  TableMetadata metadata = base;
  // Readers refuse logs whose times fall, so a clock that jumped back stands still here.
  const int64_t now_ms = std::max(
      base.last_updated_ms,
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  Applier applier(metadata, now_ms);
  for (const TableUpdate& update : updates) {
    ARROW_RETURN_NOT_OK(std::visit(applier, update));
  }
  metadata.last_updated_ms = applier.now_ms();
  return metadata;
}

void AddToMetadataLog(TableMetadata& metadata, const std::string& metadata_file,
                      int64_t timestamp_ms) {
  size_t limit = kDefaultPreviousVersions;
  const auto property = metadata.properties.find(kPreviousVersionsMax);
  if (property != metadata.properties.end()) {
    const std::string& text = property->second;
    size_t parsed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error == std::errc() && end == text.data() + text.size() && parsed > 0) limit = parsed;
  }
  auto& log = metadata.metadata_log;
  log.push_back({.timestamp_ms = timestamp_ms, .metadata_file = metadata_file});
  if (log.size() > limit) {
    log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(log.size() - limit));
  }
}

}  // namespace arka::iceberg

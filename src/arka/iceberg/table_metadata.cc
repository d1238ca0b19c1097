#include "arka/iceberg/table_metadata.h"

#include <algorithm>

namespace arka::iceberg {
namespace {

template <typename T, typename Predicate>
const T* FindIf(const std::vector<T>& items, Predicate predicate) {
  const auto found = std::find_if(items.begin(), items.end(), predicate);
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Schema* TableMetadata::FindSchema(int schema_id) const {
  return FindIf(schemas, [&](const Schema& schema) { return schema.schema_id == schema_id; });
}

const Schema* TableMetadata::current_schema() const { return FindSchema(current_schema_id); }

const PartitionSpec* TableMetadata::default_spec() const {
  return FindIf(partition_specs,
                [&](const PartitionSpec& spec) { return spec.spec_id == default_spec_id; });
}

const Snapshot* TableMetadata::FindSnapshot(int64_t snapshot_id) const {
  return FindIf(snapshots,
                [&](const Snapshot& snapshot) { return snapshot.snapshot_id == snapshot_id; });
}

const Snapshot* TableMetadata::current_snapshot() const {
  return FindSnapshot(current_snapshot_id);
}

}  // namespace arka::iceberg

#include "arka/iceberg/rest_requests.h"

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/rest_endpoints.h"
#include "arka/iceberg/schema_json.h"
#include "arka/iceberg/snapshot_json.h"

namespace arka::iceberg {
namespace {

struct RequirementJson {
  OrderedJson operator()(const AssertCreate&) const { return {{"type", "assert-create"}}; }
  OrderedJson operator()(const AssertTableUuid& r) const {
    return {{"type", "assert-table-uuid"}, {"uuid", r.uuid}};
  }
  OrderedJson operator()(const AssertRefSnapshotId& r) const {
    OrderedJson json = {{"type", "assert-ref-snapshot-id"}, {"ref", r.ref}};
    json["snapshot-id"] = r.snapshot_id ? OrderedJson(*r.snapshot_id) : OrderedJson(nullptr);
    return json;
  }
  OrderedJson operator()(const AssertLastAssignedFieldId& r) const {
    return {{"type", "assert-last-assigned-field-id"},
            {"last-assigned-field-id", r.last_assigned_field_id}};
  }
  OrderedJson operator()(const AssertCurrentSchemaId& r) const {
    return {{"type", "assert-current-schema-id"}, {"current-schema-id", r.current_schema_id}};
  }
  OrderedJson operator()(const AssertLastAssignedPartitionId& r) const {
    return {{"type", "assert-last-assigned-partition-id"},
            {"last-assigned-partition-id", r.last_assigned_partition_id}};
  }
  OrderedJson operator()(const AssertDefaultSpecId& r) const {
    return {{"type", "assert-default-spec-id"}, {"default-spec-id", r.default_spec_id}};
  }
  OrderedJson operator()(const AssertDefaultSortOrderId& r) const {
    return {{"type", "assert-default-sort-order-id"},
            {"default-sort-order-id", r.default_sort_order_id}};
  }
};

struct UpdateJson {
  OrderedJson operator()(const AssignUuid& u) const {
    return {{"action", "assign-uuid"}, {"uuid", u.uuid}};
  }
  OrderedJson operator()(const AddSchema& u) const {
    return {{"action", "add-schema"}, {"schema", SchemaToJson(u.schema)}};
  }
  OrderedJson operator()(const SetCurrentSchema& u) const {
    return {{"action", "set-current-schema"}, {"schema-id", u.schema_id}};
  }
  OrderedJson operator()(const AddSnapshot& u) const {
    return {{"action", "add-snapshot"}, {"snapshot", SnapshotToJson(u.snapshot)}};
  }
  OrderedJson operator()(const SetSnapshotRef& u) const {
    OrderedJson json = {{"action", "set-snapshot-ref"}, {"ref-name", u.ref}};
    json.update(SnapshotRefsToJson({{u.ref, u.value}}).at(u.ref));
    return json;
  }
  OrderedJson operator()(const RemoveSnapshotRef& u) const {
    return {{"action", "remove-snapshot-ref"}, {"ref-name", u.ref}};
  }
  OrderedJson operator()(const RemoveSnapshots& u) const {
    return {{"action", "remove-snapshots"}, {"snapshot-ids", u.snapshot_ids}};
  }
  OrderedJson operator()(const SetProperties& u) const {
    return {{"action", "set-properties"}, {"updates", u.updates}};
  }
  OrderedJson operator()(const RemoveProperties& u) const {
    return {{"action", "remove-properties"}, {"removals", u.removals}};
  }
  OrderedJson operator()(const SetLocation& u) const {
    return {{"action", "set-location"}, {"location", u.location}};
  }
};

}  // namespace

std::string CreateNamespaceBody(const std::vector<std::string>& levels) {
  return DumpJson({{"namespace", levels}, {"properties", OrderedJson::object()}});
}

std::string CreateTableBody(const std::string& name, const TableMetadata& metadata,
                            const std::string& location) {
  OrderedJson json = {{"name", name}, {"schema", SchemaToJson(*metadata.current_schema())}};
  if (!location.empty()) json["location"] = location;
  json["stage-create"] = false;
  json["properties"] = metadata.properties;
  json["properties"]["format-version"] = std::to_string(metadata.format_version);
  return DumpJson(json);
}

std::string CommitTableBody(const TableIdentifier& identifier,
                            const std::vector<TableRequirement>& requirements,
                            const std::vector<TableUpdate>& updates) {
  OrderedJson json = {
      {"identifier",
       {{"namespace", NamespaceLevels(identifier.namespace_name)}, {"name", identifier.name}}}};
  json["requirements"] = OrderedJson::array();
  for (const TableRequirement& requirement : requirements) {
    json["requirements"].push_back(std::visit(RequirementJson{}, requirement));
  }
  json["updates"] = OrderedJson::array();
  for (const TableUpdate& update : updates) {
    json["updates"].push_back(std::visit(UpdateJson{}, update));
  }
  return DumpJson(json);
}

}  // namespace arka::iceberg

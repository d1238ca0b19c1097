#include "arka/iceberg/rest_requests.h"

#include <gmock/gmock.h>

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/table_creation.h"

namespace arka::iceberg {
namespace {

Json Parsed(const std::string& body) { return ParseJson(body, "body").ValueOrDie(); }

TEST(RestRequests, ANamespaceIsAListOfLevels) {
  EXPECT_EQ(CreateNamespaceBody({"eu", "sales"}),
            R"({"namespace":["eu","sales"],"properties":{}})");
}

TEST(RestRequests, ATableIsMadeOfItsSchemaAndProperties) {
  TableCreation creation;
  creation.schema.fields = {{.id = 7, .name = "id", .type = TypeId::kLong, .required = true}};
  creation.properties = {{"owner", "me"}};
  const TableMetadata wanted = NewTableMetadata(creation, "", "u", WallTime()).ValueOrDie();
  const Json json = Parsed(CreateTableBody("orders", wanted, ""));
  EXPECT_EQ(json["name"], "orders");
  EXPECT_FALSE(json.contains("location"));
  EXPECT_EQ(json["stage-create"], false);
  EXPECT_EQ(json["properties"]["format-version"], "2");
  EXPECT_EQ(json["properties"]["owner"], "me");
  EXPECT_TRUE(json["properties"].contains("schema.name-mapping.default"));
  EXPECT_EQ(json["schema"]["fields"][0]["id"], 1);
  EXPECT_EQ(Parsed(CreateTableBody("orders", wanted, "s3://b/t"))["location"], "s3://b/t");
}

TEST(RestRequests, ACommitNamesEveryRequirementAsTheSpecDoes) {
  const Json json = Parsed(
      CommitTableBody({"eu.sales", "t"},
                      {AssertCreate{}, AssertTableUuid{"u"}, AssertRefSnapshotId{"main", 5},
                       AssertRefSnapshotId{"main", std::nullopt}, AssertLastAssignedFieldId{3},
                       AssertCurrentSchemaId{1}, AssertLastAssignedPartitionId{999},
                       AssertDefaultSpecId{0}, AssertDefaultSortOrderId{0}},
                      {}));
  EXPECT_EQ(json["identifier"], Json::parse(R"({"namespace": ["eu", "sales"], "name": "t"})"));
  EXPECT_EQ(json["requirements"], Json::parse(R"([
      {"type": "assert-create"},
      {"type": "assert-table-uuid", "uuid": "u"},
      {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 5},
      {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": null},
      {"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3},
      {"type": "assert-current-schema-id", "current-schema-id": 1},
      {"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999},
      {"type": "assert-default-spec-id", "default-spec-id": 0},
      {"type": "assert-default-sort-order-id", "default-sort-order-id": 0}])"));
  EXPECT_EQ(json["updates"], Json::array());
}

TEST(RestRequests, ACommitNamesEveryUpdateAsTheSpecDoes) {
  Snapshot snapshot;
  snapshot.snapshot_id = 9'007'199'254'740'993;  // more than a double can hold
  snapshot.sequence_number = 2;
  snapshot.timestamp_ms = 1;
  snapshot.manifest_list = "s3://b/l.avro";
  snapshot.summary = {{"operation", "append"}};
  SnapshotRef ref;
  ref.snapshot_id = snapshot.snapshot_id;
  const Json json = Parsed(CommitTableBody(
      {"a", "t"}, {},
      {AssignUuid{"u"}, AddSchema{}, SetCurrentSchema{}, AddSnapshot{snapshot},
       SetSnapshotRef{"main", ref}, RemoveSnapshotRef{"old"}, RemoveSnapshots{{1, 2}},
       SetProperties{{{"k", "v"}}}, RemoveProperties{{"k"}}, SetLocation{"s3://b/t"}}));
  const Json& updates = json["updates"];
  ASSERT_EQ(updates.size(), 10u);
  EXPECT_EQ(updates[0], Json::parse(R"({"action": "assign-uuid", "uuid": "u"})"));
  EXPECT_EQ(updates[1]["action"], "add-schema");
  EXPECT_EQ(updates[1]["schema"]["type"], "struct");
  EXPECT_EQ(updates[2], Json::parse(R"({"action": "set-current-schema", "schema-id": -1})"));
  EXPECT_EQ(updates[3]["action"], "add-snapshot");
  EXPECT_EQ(updates[3]["snapshot"]["snapshot-id"], 9'007'199'254'740'993);
  EXPECT_EQ(updates[3]["snapshot"]["manifest-list"], "s3://b/l.avro");
  EXPECT_EQ(updates[3]["snapshot"]["summary"]["operation"], "append");
  EXPECT_EQ(updates[4], Json::parse(R"({"action": "set-snapshot-ref", "ref-name": "main",
      "type": "branch", "snapshot-id": 9007199254740993})"));
  EXPECT_EQ(updates[5], Json::parse(R"({"action": "remove-snapshot-ref", "ref-name": "old"})"));
  EXPECT_EQ(updates[6], Json::parse(R"({"action": "remove-snapshots", "snapshot-ids": [1, 2]})"));
  EXPECT_EQ(updates[7], Json::parse(R"({"action": "set-properties", "updates": {"k": "v"}})"));
  EXPECT_EQ(updates[8], Json::parse(R"({"action": "remove-properties", "removals": ["k"]})"));
  EXPECT_EQ(updates[9], Json::parse(R"({"action": "set-location", "location": "s3://b/t"})"));
}

}  // namespace
}  // namespace arka::iceberg

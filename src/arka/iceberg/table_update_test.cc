#include "arka/iceberg/table_update.h"

#include "arka/iceberg/sample_test.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

class TableUpdateTest : public testing::Test {
 protected:
  /// Applies `updates` to the table, which stays as it was on an error.
  Status Commit(const std::vector<TableUpdate>& updates,
                const std::vector<TableRequirement>& requirements = {},
                WallTime now = kSampleTime) {
    ARROW_ASSIGN_OR_RAISE(table_, Apply(table_, requirements, updates, now));
    return Status::OK();
  }

  TableMetadata table_ = SampleMetadata("s3://b/t");
};

TEST_F(TableUpdateTest, ASnapshotBecomesCurrent) {
  ASSERT_THAT(Commit(AppendOf(table_, 7)), IsOk());
  EXPECT_EQ(table_.current_snapshot()->snapshot_id, 7);
  EXPECT_EQ(table_.last_sequence_number, 1);
  EXPECT_EQ(table_.refs.at("main").snapshot_id, 7);
  ASSERT_EQ(table_.snapshot_log.size(), 1u);
  EXPECT_EQ(table_.snapshot_log[0].timestamp_ms, table_.snapshots[0].timestamp_ms);
  EXPECT_EQ(table_.last_updated_ms, table_.snapshots[0].timestamp_ms);
}

TEST_F(TableUpdateTest, TimesNeverFallWhenTheClockDoes) {
  ASSERT_THAT(Commit(AppendOf(table_, 7)), IsOk());
  const int64_t before = table_.last_updated_ms;
  ASSERT_THAT(Commit({SetProperties{{{"a", "b"}}}}, {}, kSampleTime - hours(1)), IsOk());
  EXPECT_EQ(table_.last_updated_ms, before);
}

TEST_F(TableUpdateTest, RefusesSnapshotsThatDoNotFit) {
  ASSERT_THAT(Commit(AppendOf(table_, 7)), IsOk());
  EXPECT_THAT(Commit(AppendOf(table_, 7)), FailsWith(ErrorCode::kInvalidRequest));
  TableMetadata stale = table_;
  stale.last_sequence_number = 0;
  EXPECT_THAT(Commit(AppendOf(stale, 8)), FailsWith(ErrorCode::kInvalidRequest));
  SnapshotRef nowhere;
  nowhere.snapshot_id = 99;
  EXPECT_THAT(Commit({SetSnapshotRef{"main", nowhere}}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_EQ(table_.snapshots.size(), 1u);
}

TEST_F(TableUpdateTest, RefusesToWriteToOtherFormatVersions) {
  for (const int version : {1, 3}) {
    table_.format_version = version;
    EXPECT_THAT(Commit(AppendOf(table_, 7)), FailsWith(ErrorCode::kUnimplemented));
  }
}

TEST_F(TableUpdateTest, SetsAndRemovesProperties) {
  ASSERT_THAT(Commit({SetProperties{{{"a", "1"}, {"b", "2"}}}, RemoveProperties{{"a", "none"}}}),
              IsOk());
  EXPECT_FALSE(table_.properties.contains("a"));
  EXPECT_EQ(table_.properties.at("b"), "2");
  EXPECT_EQ(table_.properties.at("owner"), "someone");
}

TEST_F(TableUpdateTest, AddsASchemaAndMakesItCurrent) {
  Schema wider = SampleSchema();
  wider.schema_id = 77;  // the table gives the id
  wider.fields.push_back({.id = 5, .name = "more", .type = TypeId::kDate});
  ASSERT_THAT(Commit({AddSchema{wider}, SetCurrentSchema{}}), IsOk());
  EXPECT_EQ(table_.current_schema_id, 1);
  EXPECT_EQ(table_.current_schema()->fields.size(), 4u);
  EXPECT_EQ(table_.last_column_id, 5);
}

TEST_F(TableUpdateTest, ASchemaThatIsThereIsNotAddedAgain) {
  ASSERT_THAT(Commit({AddSchema{table_.schemas[0]}, SetCurrentSchema{}}), IsOk());
  EXPECT_EQ(table_.schemas.size(), 1u);
  EXPECT_EQ(table_.current_schema_id, 0);
  EXPECT_THAT(Commit({SetCurrentSchema{}}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Commit({SetCurrentSchema{5}}), FailsWith(ErrorCode::kInvalidRequest));
}

TEST_F(TableUpdateTest, RemovesSnapshotsThatNothingRefersTo) {
  for (const int64_t id : {1, 2, 3, 4}) ASSERT_THAT(Commit(AppendOf(table_, id)), IsOk());
  EXPECT_THAT(Commit({RemoveSnapshots{{4}}}), FailsWith(ErrorCode::kInvalidRequest));
  ASSERT_THAT(Commit({RemoveSnapshots{{2}}}), IsOk());
  EXPECT_EQ(table_.snapshots.size(), 3u);
  ASSERT_EQ(table_.snapshot_log.size(), 2u);  // what was current before the gap is not told
  EXPECT_EQ(table_.snapshot_log[0].snapshot_id, 3);
}

TEST_F(TableUpdateTest, TagsDoNotMoveTheTable) {
  for (const int64_t id : {1, 2}) ASSERT_THAT(Commit(AppendOf(table_, id)), IsOk());
  SnapshotRef tag;
  tag.snapshot_id = 1;
  tag.type = "tag";
  ASSERT_THAT(Commit({SetSnapshotRef{"v1", tag}}), IsOk());
  EXPECT_EQ(table_.current_snapshot_id, 2);
  EXPECT_EQ(table_.snapshot_log.size(), 2u);
  ASSERT_THAT(Commit({RemoveSnapshotRef{"v1"}, RemoveSnapshotRef{"none"}}), IsOk());
  EXPECT_FALSE(table_.refs.contains("v1"));
}

TEST_F(TableUpdateTest, KeepsTheUuidItHas) {
  EXPECT_THAT(Commit({AssignUuid{"other"}}), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(Commit({AssignUuid{table_.table_uuid}, SetLocation{"s3://b/u"}}), IsOk());
  EXPECT_EQ(table_.location, "s3://b/u");
}

TEST_F(TableUpdateTest, EachRequirementIsAConflictWhereItFails) {
  ASSERT_THAT(Commit(AppendOf(table_, 7)), IsOk());
  const std::vector<TableRequirement> holding = {AssertTableUuid{table_.table_uuid},
                                                 AssertRefSnapshotId{"main", 7},
                                                 AssertRefSnapshotId{"none", {}},
                                                 AssertLastAssignedFieldId{4},
                                                 AssertCurrentSchemaId{0},
                                                 AssertLastAssignedPartitionId{999},
                                                 AssertDefaultSpecId{0},
                                                 AssertDefaultSortOrderId{0}};
  EXPECT_THAT(Commit({}, holding), IsOk());
  const std::vector<TableRequirement> failing = {AssertCreate{},
                                                 AssertTableUuid{"other"},
                                                 AssertRefSnapshotId{"main", 8},
                                                 AssertRefSnapshotId{"main", {}},
                                                 AssertRefSnapshotId{"none", 7},
                                                 AssertLastAssignedFieldId{5},
                                                 AssertCurrentSchemaId{1},
                                                 AssertLastAssignedPartitionId{1000},
                                                 AssertDefaultSpecId{1},
                                                 AssertDefaultSortOrderId{1}};
  for (const TableRequirement& requirement : failing) {
    EXPECT_THAT(Commit({}, {requirement}), FailsWith(ErrorCode::kCommitConflict))
        << requirement.index();
  }
  EXPECT_THAT(CheckRequirement(nullptr, AssertCreate{}), IsOk());
  EXPECT_THAT(CheckRequirement(nullptr, AssertCurrentSchemaId{0}),
              FailsWith(ErrorCode::kCommitConflict));
}

TEST_F(TableUpdateTest, TheMetadataLogIsBounded) {
  for (int i = 0; i < 105; ++i) AddToMetadataLog(table_, "f" + std::to_string(i), i);
  ASSERT_EQ(table_.metadata_log.size(), 100u);
  EXPECT_EQ(table_.metadata_log.front().metadata_file, "f5");
  table_.properties["write.metadata.previous-versions-max"] = "2";
  AddToMetadataLog(table_, "last", 200);
  EXPECT_THAT(table_.metadata_log,
              ElementsAre(MetadataLogEntry{104, "f104"}, MetadataLogEntry{200, "last"}));
}

}  // namespace
}  // namespace arka::iceberg

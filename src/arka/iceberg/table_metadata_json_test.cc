#include "arka/iceberg/table_metadata_json.h"

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/sample_test.h"
#include "arka/iceberg/table_update.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

using testing::HasSubstr;

/// Metadata of format version 2 as JSON, changed by a JSON merge patch.
std::string Patched(const char* patch) {
  Json json = ParseJson(TableMetadataToJson(SampleMetadata("s3://b/t")), "test").ValueOrDie();
  json.merge_patch(ParseJson(patch, "test").ValueOrDie());
  return json.dump();
}

TEST(TableMetadataJson, ReadsBackWhatItWrote) {
  TableMetadata metadata = SampleMetadata("s3://b/t");
  metadata = Apply(metadata, {}, AppendOf(metadata, 42), kSampleTime).ValueOrDie();
  metadata = Apply(metadata, {}, AppendOf(metadata, 43), kSampleTime).ValueOrDie();
  metadata.refs["v1"] = {.snapshot_id = 42, .type = "tag", .max_ref_age_ms = 1000};
  AddToMetadataLog(metadata, "s3://b/t/metadata/0.metadata.json", 1);
  const std::string text = TableMetadataToJson(metadata);
  const TableMetadata read = TableMetadataFromJson(text).ValueOrDie();
  EXPECT_EQ(read.snapshots, metadata.snapshots);
  EXPECT_EQ(read.refs, metadata.refs);
  EXPECT_EQ(read.snapshot_log, metadata.snapshot_log);
  EXPECT_EQ(read.metadata_log, metadata.metadata_log);
  EXPECT_EQ(read.properties, metadata.properties);
  EXPECT_EQ(read.current_snapshot_id, 43);
  EXPECT_EQ(TableMetadataToJson(read), text);
}

TEST(TableMetadataJson, KeepsMembersThatItDoesNotKnow) {
  const std::string text = Patched(
      R"({"statistics":[{"snapshot-id":1,"blob":[]}],"x-new":{"a":[1,2]},"refs":{"main":null},
          "partition-statistics":[{"snapshot-id":1}],"encryption-keys":[{"key-id":"k"}]})");
  const TableMetadata metadata = TableMetadataFromJson(text).ValueOrDie();
  const Json written = ParseJson(TableMetadataToJson(metadata), "test").ValueOrDie();
  EXPECT_EQ(written, ParseJson(text, "test").ValueOrDie());
}

TEST(TableMetadataJson, KeepsUnknownMembersOfSnapshotsRefsAndSpecs) {
  const std::string text = Patched(
      R"({"current-snapshot-id":5,"last-sequence-number":1,
          "snapshots":[{"snapshot-id":5,"timestamp-ms":1,"sequence-number":1,
                        "manifest-list":"s3://b/l","summary":{"operation":"append"},
                        "schema-id":0,"first-row-id":7}],
          "refs":{"main":{"snapshot-id":5,"type":"branch","x":1}},
          "partition-specs":[{"spec-id":0,"x":2,"fields":[]}],
          "sort-orders":[{"order-id":0,"x":3,"fields":[{"transform":"identity","source-id":1,
                          "direction":"asc","null-order":"nulls-first","y":4}]}]})");
  const TableMetadata metadata = TableMetadataFromJson(text).ValueOrDie();
  const Json written = ParseJson(TableMetadataToJson(metadata), "test").ValueOrDie();
  EXPECT_EQ(written, ParseJson(text, "test").ValueOrDie());
}

TEST(TableMetadataJson, ReadsFormatVersion1WithItsSingleSchemaAndSpec) {
  const TableMetadata metadata =
      TableMetadataFromJson(
          R"({"format-version":1,"location":"s3://b/t","last-updated-ms":1,"last-column-id":1,
              "schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,
                        "type":"long"}]},
              "partition-spec":[{"name":"x","transform":"identity","source-id":1}],
              "properties":{},"current-snapshot-id":7,
              "snapshots":[{"snapshot-id":7,"timestamp-ms":1,"manifests":["s3://b/m"]}]})")
          .ValueOrDie();
  EXPECT_EQ(metadata.current_schema()->FindColumn("x")->id, 1);
  EXPECT_EQ(metadata.default_spec()->fields[0].field_id, 1000);
  EXPECT_EQ(metadata.last_partition_id, 1000);
  EXPECT_EQ(metadata.refs.at("main").snapshot_id, 7);
  EXPECT_THAT(metadata.snapshots[0].unknown_members, HasSubstr("s3://b/m"));
}

TEST(TableMetadataJson, ReadsFormatVersion3) {
  const TableMetadata metadata =
      TableMetadataFromJson(Patched(R"({"format-version":3,"next-row-id":10})")).ValueOrDie();
  EXPECT_EQ(metadata.format_version, 3);
  EXPECT_THAT(TableMetadataToJson(metadata), HasSubstr(R"("next-row-id":10)"));
}

TEST(TableMetadataJson, TakesNullAndMinusOneForNoSnapshot) {
  for (const char* patch : {R"({"current-snapshot-id":null})", R"({"current-snapshot-id":-1})"}) {
    EXPECT_EQ(TableMetadataFromJson(Patched(patch))->current_snapshot(), nullptr);
  }
}

TEST(TableMetadataJson, RefusesVersionsOfTheFuture) {
  EXPECT_THAT(TableMetadataFromJson(Patched(R"({"format-version":4})")),
              FailsWith(ErrorCode::kUnimplemented));
}

TEST(TableMetadataJson, RefusesWhatIsMissingOrOfTheWrongType) {
  for (const char* patch :
       {R"({"format-version":null})", R"({"format-version":"2"})", R"({"table-uuid":null})",
        R"({"location":7})", R"({"last-updated-ms":1.5})", R"({"schemas":null})",
        R"({"schemas":{}})", R"({"current-schema-id":9})", R"({"default-spec-id":9})",
        R"({"partition-specs":[7]})", R"({"current-snapshot-id":9})", R"({"properties":{"a":1}})",
        R"({"last-updated-ms":18446744073709551615})", R"({"refs":[]})", R"({"snapshot-log":[{}]})",
        R"({"last-column-id":99999999999})"}) {
    EXPECT_THAT(TableMetadataFromJson(Patched(patch)), FailsWith(ErrorCode::kCorruption)) << patch;
  }
  EXPECT_THAT(TableMetadataFromJson("{"), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(TableMetadataFromJson("[]"), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(TableMetadataFromJson(""), FailsWith(ErrorCode::kCorruption));
}

TEST(TableMetadataJson, RefusesAMainBranchThatIsNotTheCurrentSnapshot) {
  const char* patch =
      R"({"current-snapshot-id":5,"refs":{"main":{"snapshot-id":6,"type":"branch"}},
          "snapshots":[{"snapshot-id":5,"timestamp-ms":1},{"snapshot-id":6,"timestamp-ms":1}]})";
  EXPECT_THAT(TableMetadataFromJson(Patched(patch)), FailsWith(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace arka::iceberg

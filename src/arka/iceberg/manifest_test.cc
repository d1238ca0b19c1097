#include "arka/iceberg/manifest.h"

#include "arka/iceberg/avro_encoder.h"
#include "arka/iceberg/sample_test.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

using testing::ElementsAre;

ManifestWriter Writer() {
  return ManifestWriter::Make(SampleSchema(), PartitionSpec(), AvroCodec::kDeflate, kSampleMarker)
      .ValueOrDie();
}

ManifestEntry Entry(ManifestEntryStatus status, std::optional<int64_t> sequence_number,
                    int64_t records) {
  ManifestEntry entry;
  entry.status = status;
  entry.snapshot_id = 7;
  entry.sequence_number = sequence_number;
  entry.file_sequence_number = sequence_number;
  entry.data_file = SampleFile("file:///t/data/" + std::to_string(records), records);
  return entry;
}

TEST(Manifest, ReadsBackWhatItWrote) {
  ManifestEntry full = Entry(ManifestEntryStatus::kExisting, 3, 10);
  full.data_file.nan_value_counts = {{2, 5}};
  full.data_file.key_metadata = "key";
  full.data_file.equality_ids = {1, 2};
  full.data_file.referenced_data_file = "file:///other";
  ManifestEntry bare;
  bare.status = ManifestEntryStatus::kDeleted;
  bare.snapshot_id = 8;
  bare.sequence_number = 4;
  bare.file_sequence_number = 2;
  bare.data_file.file_path = "file:///bare";

  ManifestWriter writer = Writer();
  ASSERT_THAT(writer.Append(full), IsOk());
  ASSERT_THAT(writer.Append(bare), IsOk());
  const std::string file = writer.Finish().ValueOrDie();
  EXPECT_THAT(ReadManifest(file, ManifestFile()).ValueOrDie(), ElementsAre(full, bare));
}

TEST(Manifest, AddedFilesInheritTheSnapshotsSequenceNumber) {
  ManifestEntry added = Entry(ManifestEntryStatus::kAdded, std::nullopt, 10);
  added.snapshot_id.reset();
  ManifestWriter writer = Writer();
  ASSERT_THAT(writer.Append(added), IsOk());
  ManifestFile manifest;
  manifest.sequence_number = 12;
  manifest.added_snapshot_id = 99;
  const auto entries = ReadManifest(writer.Finish().ValueOrDie(), manifest).ValueOrDie();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].snapshot_id, 99);
  EXPECT_EQ(entries[0].sequence_number, 12);
  EXPECT_EQ(entries[0].file_sequence_number, 12);
}

TEST(Manifest, DescriptionCountsFilesAndRowsByStatus) {
  ManifestWriter writer = Writer();
  ASSERT_THAT(writer.Append(Entry(ManifestEntryStatus::kAdded, std::nullopt, 1)), IsOk());
  ASSERT_THAT(writer.Append(Entry(ManifestEntryStatus::kExisting, 5, 10)), IsOk());
  ASSERT_THAT(writer.Append(Entry(ManifestEntryStatus::kExisting, 4, 100)), IsOk());
  ASSERT_THAT(writer.Append(Entry(ManifestEntryStatus::kDeleted, 2, 1000)), IsOk());
  const ManifestFile manifest = writer.Describe(9);
  EXPECT_EQ(manifest.added_files_count, 1);
  EXPECT_EQ(manifest.added_rows_count, 1);
  EXPECT_EQ(manifest.existing_files_count, 2);
  EXPECT_EQ(manifest.existing_rows_count, 110);
  EXPECT_EQ(manifest.deleted_files_count, 1);
  EXPECT_EQ(manifest.deleted_rows_count, 1000);
  EXPECT_EQ(manifest.sequence_number, 9);
  EXPECT_EQ(manifest.min_sequence_number, 4);  // of live files
}

TEST(Manifest, RefusesPartitionedSpecs) {
  PartitionSpec spec;
  spec.fields.push_back({.source_id = 1, .field_id = 1000, .name = "id", .transform = "identity"});
  EXPECT_THAT(ManifestWriter::Make(SampleSchema(), spec, AvroCodec::kNull, kSampleMarker),
              FailsWith(ErrorCode::kUnimplemented));
}

TEST(ManifestList, ReadsBackWhatItWrote) {
  ManifestFile full;
  full.manifest_path = "file:///t/metadata/m0.avro";
  full.manifest_length = 4000;
  full.partition_spec_id = 3;
  full.content = ManifestContent::kDeletes;
  full.sequence_number = 9;
  full.min_sequence_number = 4;
  full.added_snapshot_id = 7;
  full.added_files_count = 1;
  full.existing_files_count = 2;
  full.deleted_files_count = 3;
  full.added_rows_count = 10;
  full.existing_rows_count = 20;
  full.deleted_rows_count = 30;
  full.partitions = {{.contains_null = true, .contains_nan = false, .lower_bound = "a"},
                     {.upper_bound = "b"}};
  full.key_metadata = "key";
  ManifestFile bare;
  bare.manifest_path = "file:///t/metadata/m1.avro";
  const std::string file =
      WriteManifestList({.snapshot_id = 7, .parent_snapshot_id = 6, .sequence_number = 9},
                        {full, bare}, AvroCodec::kDeflate, kSampleMarker)
          .ValueOrDie();
  EXPECT_THAT(ReadManifestList(file).ValueOrDie(), ElementsAre(full, bare));
  const auto reader = AvroFileReader::Make(file).ValueOrDie();
  EXPECT_EQ(reader.FindMetadata("parent-snapshot-id"), "6");
  EXPECT_EQ(reader.FindMetadata("format-version"), "2");
}

TEST(ManifestList, TheFirstSnapshotsParentIsTheWordNull) {
  const std::string file = WriteManifestList({.snapshot_id = 7, .sequence_number = 1}, {},
                                             AvroCodec::kDeflate, kSampleMarker)
                               .ValueOrDie();
  EXPECT_EQ(AvroFileReader::Make(file)->FindMetadata("parent-snapshot-id"), "null");
  EXPECT_THAT(ReadManifestList(file).ValueOrDie(), testing::IsEmpty());
}

TEST(ManifestList, ReadsFormatVersion1ByNameWhereThereAreNoFieldIds) {
  AvroFileWriter writer(
      R"({"type":"record","name":"manifest_file","fields":[)"
      R"({"name":"added_snapshot_id","type":["null","long"]},{"name":"new","type":"string"},)"
      R"({"name":"manifest_path","type":"string"},{"name":"manifest_length","type":"int"},)"
      R"({"name":"partition_spec_id","type":"int"}]})",
      {}, AvroCodec::kNull, kSampleMarker);
  AvroEncoder out;
  out.Branch(1);
  out.Long(5);
  out.Bytes("unknown");
  out.Bytes("file:///m");
  out.Long(77);
  out.Long(0);
  ASSERT_THAT(writer.Append(out.bytes()), IsOk());
  const auto manifests = ReadManifestList(writer.Finish().ValueOrDie()).ValueOrDie();
  ASSERT_EQ(manifests.size(), 1u);
  EXPECT_EQ(manifests[0].manifest_path, "file:///m");
  EXPECT_EQ(manifests[0].manifest_length, 77);
  EXPECT_EQ(manifests[0].added_snapshot_id, 5);
  EXPECT_EQ(manifests[0].sequence_number, 0);
}

TEST(ManifestList, ARecordOfAnotherKindIsCorruption) {
  AvroFileWriter writer(
      R"({"type":"record","name":"r","fields":[{"name":"a","type":"int","field-id":500}]})", {},
      AvroCodec::kNull, kSampleMarker);
  AvroEncoder out;
  out.Long(1);
  ASSERT_THAT(writer.Append(out.bytes()), IsOk());
  const std::string file = writer.Finish().ValueOrDie();
  EXPECT_THAT(ReadManifestList(file), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(ReadManifest(file, ManifestFile()), FailsWith(ErrorCode::kCorruption));
}

}  // namespace
}  // namespace arka::iceberg

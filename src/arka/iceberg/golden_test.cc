// Golden files (tests/golden/iceberg/README.md): what Arka writes, byte for byte, and what
// PyIceberg and Java wrote, read.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "arka/iceberg/json_reader.h"
#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg/sample_test.h"
#include "arka/iceberg/table_metadata_json.h"
#include "arka/iceberg/table_update.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {
namespace {

std::string Golden(const std::string& name) {
  std::ifstream file(std::string(ARKA_GOLDEN_DIR) + "/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

void ExpectGolden(const std::string& name, const std::string& bytes) {
  if (std::getenv("ARKA_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::string(ARKA_GOLDEN_DIR) + "/" + name, std::ios::binary) << bytes;
  }
  EXPECT_TRUE(bytes == Golden(name)) << name << " has changed";
}

Json Parsed(const std::string& text) { return ParseJson(text, "golden").ValueOrDie(); }

TEST(Golden, ArkasMetadataIsUnchanged) {
  TableMetadata metadata = SampleMetadata("s3://bucket/warehouse/arka/golden");
  metadata = Apply(metadata, {}, AppendOf(metadata, 101), kSampleTime).ValueOrDie();
  AddToMetadataLog(metadata, metadata.location + "/metadata/00000.metadata.json", 1);
  metadata = Apply(metadata, {}, AppendOf(metadata, 102), kSampleTime).ValueOrDie();
  AddToMetadataLog(metadata, metadata.location + "/metadata/00001.metadata.json", 2);
  ExpectGolden("arka/metadata.json", TableMetadataToJson(metadata));
}

TEST(Golden, ArkasManifestIsUnchanged) {
  auto writer =
      ManifestWriter::Make(SampleSchema(), PartitionSpec(), AvroCodec::kNull, kSampleMarker)
          .ValueOrDie();
  ManifestEntry entry;
  entry.snapshot_id = 101;
  entry.data_file = SampleFile("s3://bucket/warehouse/arka/golden/data/1.parquet", 10);
  ASSERT_THAT(writer.Append(entry), IsOk());
  entry.status = ManifestEntryStatus::kExisting;
  entry.sequence_number = 1;
  entry.file_sequence_number = 1;
  entry.data_file = SampleFile("s3://bucket/warehouse/arka/golden/data/0.parquet", 20);
  ASSERT_THAT(writer.Append(entry), IsOk());
  ExpectGolden("arka/manifest.avro", writer.Finish().ValueOrDie());
}

TEST(Golden, ArkasManifestListIsUnchanged) {
  ManifestFile manifest;
  manifest.manifest_path = "s3://bucket/warehouse/arka/golden/metadata/m0.avro";
  manifest.manifest_length = 5000;
  manifest.sequence_number = 2;
  manifest.min_sequence_number = 1;
  manifest.added_snapshot_id = 102;
  manifest.added_files_count = 1;
  manifest.added_rows_count = 10;
  ExpectGolden(
      "arka/manifest_list.avro",
      WriteManifestList({.snapshot_id = 102, .parent_snapshot_id = 101, .sequence_number = 2},
                        {manifest}, AvroCodec::kNull, kSampleMarker)
          .ValueOrDie());
}

class GoldenMetadata : public testing::TestWithParam<const char*> {};

TEST_P(GoldenMetadata, OfOtherWritersIsWrittenBackWithoutLoss) {
  const std::string text = Golden(std::string(GetParam()) + "/metadata.json");
  const TableMetadata metadata = TableMetadataFromJson(text).ValueOrDie();
  Json expected = Parsed(text);
  // Arka leaves out an empty list of identifier fields, as Java does.
  for (Json& schema : expected["schemas"]) {
    if (schema.value("identifier-field-ids", Json(1)).empty()) schema.erase("identifier-field-ids");
  }
  EXPECT_EQ(Parsed(TableMetadataToJson(metadata)), expected);
}

INSTANTIATE_TEST_SUITE_P(Writers, GoldenMetadata, testing::Values("pyiceberg", "java", "arka"));

TEST(Golden, ReadsPyIcebergsManifests) {
  const auto manifests = ReadManifestList(Golden("pyiceberg/manifest_list.avro")).ValueOrDie();
  ASSERT_EQ(manifests.size(), 2u);
  const TableMetadata metadata =
      TableMetadataFromJson(Golden("pyiceberg/metadata.json")).ValueOrDie();
  EXPECT_EQ(manifests[0].added_snapshot_id, metadata.current_snapshot_id);
  EXPECT_EQ(manifests[0].sequence_number, 2);
  EXPECT_EQ(manifests[1].sequence_number, 1);
  EXPECT_EQ(manifests[0].added_files_count, 1);
  EXPECT_EQ(manifests[0].added_rows_count, 10);
  const std::string file = Golden("pyiceberg/manifest.avro");
  EXPECT_EQ(manifests[0].manifest_length, static_cast<int64_t>(file.size()));

  const auto entries = ReadManifest(file, manifests[0]).ValueOrDie();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].sequence_number, 2);
  EXPECT_EQ(entries[0].snapshot_id, metadata.current_snapshot_id);
  const DataFile& data_file = entries[0].data_file;
  EXPECT_EQ(data_file.record_count, 10);
  EXPECT_THAT(data_file.file_path, testing::StartsWith("file:///tmp/arka-golden/wh/arka/golden/"));
  EXPECT_EQ(data_file.value_counts.at(7), 20);
  EXPECT_EQ(data_file.lower_bounds.at(1), SerializeLong(10));
  EXPECT_EQ(data_file.upper_bounds.at(1), SerializeLong(19));
  EXPECT_EQ(data_file.lower_bounds.at(2), "n10");
  EXPECT_EQ(data_file.lower_bounds.at(3), SerializeDecimal(0, 25000));
  EXPECT_EQ(data_file.upper_bounds.at(3), SerializeDecimal(0, 47500));
  EXPECT_THAT(data_file.split_offsets, testing::ElementsAre(4));
}

TEST(Golden, ReadsJavasPartitionedManifests) {
  const auto manifests = ReadManifestList(Golden("java/manifest_list.avro")).ValueOrDie();
  ASSERT_EQ(manifests.size(), 1u);
  ASSERT_EQ(manifests[0].partitions.size(), 1u);
  EXPECT_EQ(manifests[0].partitions[0].contains_nan, false);
  EXPECT_EQ(manifests[0].partitions[0].lower_bound, SerializeInt(20454));
  EXPECT_EQ(manifests[0].partitions[0].upper_bound, SerializeInt(20455));

  const auto entries = ReadManifest(Golden("java/manifest.avro"), manifests[0]).ValueOrDie();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].data_file.partition, std::vector<PartitionValue>{int64_t{20454}});
  EXPECT_EQ(entries[1].data_file.partition, std::vector<PartitionValue>{int64_t{20455}});
  EXPECT_EQ(entries[0].sequence_number, 1);
  EXPECT_EQ(entries[0].data_file.sort_order_id, 0);
  EXPECT_EQ(entries[0].data_file.file_size_in_bytes, 685);
}

}  // namespace
}  // namespace arka::iceberg

#include "arka/iceberg/fast_append.h"

#include "arka/iceberg/manifest.h"
#include "arka/iceberg/sample_test.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::iceberg {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FastAppendTest : public testing::Test {
 protected:
  FastAppendTest() {
    table_ = catalog_.CreateTable(name_, {.schema = SampleSchema()}).ValueOrDie();
  }

  Result<PreparedAppend> Prepare(std::vector<DataFile> files) {
    AppendRequest request;
    request.files = std::move(files);
    request.summary = {{"arka.last-lsn", "1007"}};
    request.properties = {{"arka.committed-lsn.n1", "1007"}};
    return PrepareAppend(table_, store_, random_, clock_, request);
  }
  Status Commit(const PreparedAppend& append) {
    ARROW_ASSIGN_OR_RAISE(table_, catalog_.CommitTable(name_, append.requirements, append.updates));
    return Status::OK();
  }
  void Append(std::vector<DataFile> files) {
    ASSERT_THAT(Commit(Prepare(std::move(files)).ValueOrDie()), IsOk());
  }
  std::string Read(const std::string& uri) {
    return objects_.Get(objects_.KeyOf(uri).ValueOrDie()).ValueOrDie()->ToString();
  }
  std::vector<ManifestFile> Manifests() {
    return ReadManifestList(Read(table_.metadata->current_snapshot()->manifest_list)).ValueOrDie();
  }
  /// Paths of all live files, newest manifest first.
  std::vector<std::string> LiveFiles() {
    std::vector<std::string> paths;
    for (const ManifestFile& manifest : Manifests()) {
      const auto entries = ReadManifest(Read(manifest.manifest_path), manifest).ValueOrDie();
      for (const ManifestEntry& entry : entries) {
        if (entry.is_live()) paths.push_back(entry.data_file.file_path);
      }
    }
    return paths;
  }
  const std::map<std::string, std::string>& summary() {
    return table_.metadata->current_snapshot()->summary;
  }

  const TableIdentifier name_{"arka", "t"};
  MemoryObjectStore objects_;
  FaultPlan plan_;
  FaultyObjectStore store_{objects_, plan_};
  SeededRandom random_{7};
  SimulatedClock clock_;
  MemoryCatalog catalog_{objects_, random_, clock_};
  Table table_;
};

TEST_F(FastAppendTest, TheFirstAppendMakesTheFirstSnapshot) {
  Append({SampleFile("f1", 10), SampleFile("f2", 5)});
  const Snapshot* snapshot = table_.metadata->current_snapshot();
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(snapshot->parent_snapshot_id, std::nullopt);
  EXPECT_EQ(snapshot->sequence_number, 1);
  EXPECT_EQ(snapshot->schema_id, 0);
  EXPECT_THAT(LiveFiles(), ElementsAre("f1", "f2"));
  EXPECT_EQ(table_.metadata->properties.at("arka.committed-lsn.n1"), "1007");

  const auto manifests = Manifests();
  ASSERT_EQ(manifests.size(), 1u);
  EXPECT_EQ(manifests[0].added_snapshot_id, snapshot->snapshot_id);
  EXPECT_EQ(manifests[0].added_files_count, 2);
  EXPECT_EQ(manifests[0].added_rows_count, 15);
  EXPECT_EQ(manifests[0].sequence_number, 1);
  EXPECT_EQ(manifests[0].min_sequence_number, 1);
  EXPECT_EQ(manifests[0].manifest_length,
            static_cast<int64_t>(Read(manifests[0].manifest_path).size()));
}

TEST_F(FastAppendTest, TheSummaryCountsWhatIsAddedAndInAll) {
  Append({SampleFile("f1", 10)});
  Append({SampleFile("f2", 5), SampleFile("f3", 1)});
  const std::map<std::string, std::string> expected = {
      {"operation", "append"},         {"arka.last-lsn", "1007"},      {"added-data-files", "2"},
      {"added-records", "6"},          {"added-files-size", "600"},    {"total-data-files", "3"},
      {"total-records", "16"},         {"total-files-size", "1600"},   {"total-delete-files", "0"},
      {"total-position-deletes", "0"}, {"total-equality-deletes", "0"}};
  EXPECT_EQ(summary(), expected);
}

TEST_F(FastAppendTest, ANewManifestComesBeforeTheOnesThatWereThere) {
  Append({SampleFile("f1", 10)});
  const int64_t first = table_.metadata->current_snapshot_id;
  Append({SampleFile("f2", 5)});
  EXPECT_THAT(LiveFiles(), ElementsAre("f2", "f1"));
  EXPECT_EQ(table_.metadata->current_snapshot()->parent_snapshot_id, first);
  EXPECT_EQ(Manifests()[1].added_snapshot_id, first);
  EXPECT_EQ(Manifests()[0].sequence_number, 2);
}

TEST_F(FastAppendTest, AnAppendWithoutFilesIsASnapshotAllTheSame) {
  Append({SampleFile("f1", 10)});
  Append({});
  EXPECT_EQ(table_.metadata->snapshots.size(), 2u);
  EXPECT_THAT(LiveFiles(), ElementsAre("f1"));
  EXPECT_EQ(summary().at("total-records"), "10");
  EXPECT_FALSE(summary().contains("added-records"));
}

TEST_F(FastAppendTest, TotalsThatTheParentDoesNotTellAreLeftOut) {
  auto updates = AppendOf(*table_.metadata, 5);
  auto& parent = std::get<AddSnapshot>(updates[0]).snapshot;
  parent.summary = {{"operation", "append"}, {"total-records", "7"}, {"total-data-files", "x"}};
  parent.manifest_list = objects_.Uri("arka/t/metadata/empty.avro");
  const auto list = arrow::Buffer::FromString(
      WriteManifestList({}, {}, AvroCodec::kNull, kSampleMarker).ValueOrDie());
  ASSERT_THAT(objects_.Put("arka/t/metadata/empty.avro", {&list, 1}), IsOk());
  table_ = catalog_.CommitTable(name_, {}, updates).ValueOrDie();
  Append({SampleFile("f1", 10)});
  EXPECT_EQ(summary().at("total-records"), "17");
  EXPECT_FALSE(summary().contains("total-data-files"));
  EXPECT_FALSE(summary().contains("total-files-size"));
}

TEST_F(FastAppendTest, OfTwoAppendsOnOneBaseTheSecondConflicts) {
  const PreparedAppend first = Prepare({SampleFile("f1", 1)}).ValueOrDie();
  const PreparedAppend second = Prepare({SampleFile("f2", 1)}).ValueOrDie();
  ASSERT_THAT(Commit(first), IsOk());
  EXPECT_THAT(Commit(second), FailsWith(ErrorCode::kCommitConflict));
  EXPECT_THAT(Commit(first), FailsWith(ErrorCode::kCommitConflict));  // sent again: no duplicate
  EXPECT_THAT(LiveFiles(), ElementsAre("f1"));

  for (const std::string& key : second.written) ASSERT_THAT(objects_.Delete(key), IsOk());
  Append({SampleFile("f2", 1)});
  EXPECT_THAT(LiveFiles(), ElementsAre("f2", "f1"));
}

TEST_F(FastAppendTest, WrittenNamesEveryFileItMade) {
  const PreparedAppend append = Prepare({SampleFile("f1", 1)}).ValueOrDie();
  const auto objects = objects_.List("").ValueOrDie();
  ASSERT_EQ(objects.size(), append.written.size());
  for (const ObjectInfo& object : objects) {
    EXPECT_THAT(append.written, testing::Contains(object.key));
    EXPECT_THAT(object.key, testing::StartsWith("arka/t/metadata/"));
  }
}

TEST_F(FastAppendTest, AFailureAtAnyOperationLeavesNothingBehind) {
  Append({SampleFile("f1", 1)});
  const size_t before = objects_.List("")->size();
  for (const Effect effect : {Effect::kNone, Effect::kFull}) {
    for (int64_t nth = 1;; ++nth) {
      FaultPlan plan;
      plan.Add({.nth = nth, .effect = effect});
      FaultyObjectStore store(objects_, plan);
      AppendRequest request;
      request.files = {SampleFile("f2", 1)};
      const auto append = PrepareAppend(table_, store, random_, clock_, request);
      if (!plan.fired()) {
        ASSERT_THAT(append, IsOk());
        for (const std::string& key : append->written) ASSERT_THAT(objects_.Delete(key), IsOk());
        break;
      }
      EXPECT_THAT(append, FailsWith(ErrorCode::kIoFailed));
      EXPECT_EQ(objects_.List("")->size(), before) << nth;
    }
  }
}

TEST_F(FastAppendTest, TimesDoNotFallWhenTheClockJumpsBack) {
  Append({SampleFile("f1", 1)});
  clock_.JumpWall(-std::chrono::hours(2));
  Append({SampleFile("f2", 1)});
  const auto& log = table_.metadata->snapshot_log;
  ASSERT_EQ(log.size(), 2u);
  EXPECT_GE(log[1].timestamp_ms, log[0].timestamp_ms);
}

TEST_F(FastAppendTest, KeepsTheRetentionOfTheMainBranch) {
  Append({SampleFile("f1", 1)});
  SnapshotRef main = table_.metadata->refs.at("main");
  main.max_snapshot_age_ms = 86'400'000;
  table_ = catalog_.CommitTable(name_, {}, {SetSnapshotRef{"main", main}}).ValueOrDie();
  Append({SampleFile("f2", 1)});
  EXPECT_EQ(table_.metadata->refs.at("main").max_snapshot_age_ms, 86'400'000);
}

TEST_F(FastAppendTest, SmallManifestsAreMergedBeforeThereAreTooMany) {
  table_ =
      catalog_
          .CommitTable(name_, {}, {SetProperties{{{"commit.manifest.min-count-to-merge", "5"}}}})
          .ValueOrDie();
  std::vector<std::string> expected;
  std::map<std::string, int64_t> sequence_numbers;
  for (int i = 0; i < 23; ++i) {
    const std::string path = "f" + std::to_string(i);
    Append({SampleFile(path, i + 1)});
    expected.insert(expected.begin(), path);
    sequence_numbers[path] = i + 1;
    EXPECT_LE(Manifests().size(), 6u);
    EXPECT_THAT(LiveFiles(), testing::ElementsAreArray(expected));
  }
  EXPECT_EQ(summary().at("total-data-files"), "23");
  for (const ManifestFile& manifest : Manifests()) {
    int64_t lowest = INT64_MAX;
    for (const ManifestEntry& entry :
         ReadManifest(Read(manifest.manifest_path), manifest).ValueOrDie()) {
      const std::string& path = entry.data_file.file_path;
      EXPECT_EQ(entry.sequence_number, sequence_numbers.at(path));
      EXPECT_EQ(entry.file_sequence_number, sequence_numbers.at(path));
      EXPECT_EQ(entry.data_file, SampleFile(path, sequence_numbers.at(path)));
      const Snapshot& added_by = table_.metadata->snapshots[*entry.sequence_number - 1];
      EXPECT_EQ(entry.snapshot_id, added_by.snapshot_id);
      lowest = std::min(lowest, *entry.sequence_number);
    }
    EXPECT_EQ(manifest.min_sequence_number, lowest);
  }
}

TEST_F(FastAppendTest, MergingIsLeftAloneWhereTheTableSaysSoOrItCannotBeDone) {
  const auto set = [&](const std::string& key, const std::string& value) {
    table_ = catalog_.CommitTable(name_, {}, {SetProperties{{{key, value}}}}).ValueOrDie();
  };
  set("commit.manifest.min-count-to-merge", "2");
  set("commit.manifest-merge.enabled", "false");
  for (int i = 0; i < 4; ++i) Append({SampleFile("f" + std::to_string(i), 1)});
  EXPECT_EQ(Manifests().size(), 4u);

  set("commit.manifest-merge.enabled", "true");
  set("commit.manifest.target-size-bytes", "100");  // all are large
  Append({SampleFile("f4", 1)});
  EXPECT_EQ(Manifests().size(), 5u);

  set("commit.manifest.target-size-bytes", "1000000");
  const std::string oldest = objects_.KeyOf(Manifests()[4].manifest_path).ValueOrDie();
  ASSERT_THAT(objects_.Delete(oldest), IsOk());
  const size_t objects = objects_.List("")->size();
  Append({SampleFile("f5", 1)});
  EXPECT_EQ(Manifests().size(), 6u);
  EXPECT_EQ(objects_.List("")->size(), objects + 2);
}

TEST_F(FastAppendTest, RefusesTablesThatItCannotWriteTo) {
  TableMetadata metadata = *table_.metadata;
  metadata.format_version = 3;
  table_.metadata = std::make_shared<const TableMetadata>(metadata);
  EXPECT_THAT(Prepare({SampleFile("f1", 1)}), FailsWith(ErrorCode::kUnimplemented));
  metadata.format_version = 2;
  metadata.partition_specs[0].fields.push_back(
      {.source_id = 1, .field_id = 1000, .name = "id", .transform = "identity"});
  table_.metadata = std::make_shared<const TableMetadata>(metadata);
  EXPECT_THAT(Prepare({SampleFile("f1", 1)}), FailsWith(ErrorCode::kUnimplemented));
  EXPECT_THAT(objects_.List("").ValueOrDie(), IsEmpty());
}

}  // namespace
}  // namespace arka::iceberg

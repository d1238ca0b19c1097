// What every Catalog does. Instantiate it with factories, in one file of a test program:
//
//   INSTANTIATE_TEST_SUITE_P(SqliteCatalog, CatalogConformance,
//   testing::Values(MakeSqliteUnderTest));
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "arka/iceberg/catalog.h"
#include "arka/testing/matchers.h"

namespace arka::iceberg {

/// A Catalog without tables.
class CatalogUnderTest {
 public:
  virtual ~CatalogUnderTest() = default;
  virtual Catalog& catalog() = 0;
};

/// May answer null: the tests are skipped then.
using CatalogFactory = std::function<std::unique_ptr<CatalogUnderTest>()>;

class CatalogConformance : public testing::TestWithParam<CatalogFactory> {
 protected:
  void SetUp() override {
    subject_ = GetParam()();
    if (subject_ == nullptr) GTEST_SKIP() << "this catalog is not configured";
  }
  Catalog& catalog() { return subject_->catalog(); }

  static TableCreation Creation() {
    TableCreation creation;
    creation.schema.fields = {{.id = 7, .name = "id", .type = TypeId::kLong, .required = true},
                              {.id = 9, .name = "name", .type = TypeId::kString}};
    creation.properties = {{"owner", "someone"}};
    return creation;
  }
  Table Create(const TableIdentifier& identifier) {
    return catalog().CreateTable(identifier, Creation()).ValueOrDie();
  }
  /// Requirements and updates of a snapshot with that id on top of `base`.
  static std::vector<TableRequirement> OnTopOf(const Table& base) {
    std::optional<int64_t> current;
    if (base.metadata->current_snapshot() != nullptr) current = base.metadata->current_snapshot_id;
    return {AssertTableUuid{base.metadata->table_uuid}, AssertRefSnapshotId{kMainBranch, current}};
  }
  static std::vector<TableUpdate> NewSnapshot(const Table& base, int64_t id) {
    Snapshot snapshot;
    snapshot.snapshot_id = id;
    snapshot.sequence_number = base.metadata->last_sequence_number + 1;
    snapshot.timestamp_ms = base.metadata->last_updated_ms;
    snapshot.manifest_list = base.metadata->location + "/metadata/snap.avro";
    snapshot.summary = {{"operation", "append"}};
    SnapshotRef main;
    main.snapshot_id = id;
    return {AddSnapshot{snapshot}, SetSnapshotRef{kMainBranch, main}};
  }

  const TableIdentifier orders_{"sales", "orders"};

 private:
  std::unique_ptr<CatalogUnderTest> subject_;
};

TEST_P(CatalogConformance, CreatesATableThatCanBeLoaded) {
  const Table created = Create(orders_);
  EXPECT_EQ(created.identifier, orders_);
  EXPECT_EQ(created.metadata->format_version, 2);
  EXPECT_EQ(created.metadata->table_uuid.size(), 36u);
  EXPECT_EQ(created.metadata->properties.at("owner"), "someone");
  EXPECT_EQ(created.metadata->current_snapshot(), nullptr);
  EXPECT_THAT(created.metadata->location, testing::EndsWith("/sales/orders"));

  const Table loaded = catalog().LoadTable(orders_).ValueOrDie();
  EXPECT_EQ(loaded.metadata_location, created.metadata_location);
  EXPECT_EQ(loaded.metadata->table_uuid, created.metadata->table_uuid);
  EXPECT_TRUE(
      SameStructure(*loaded.metadata->current_schema(), *created.metadata->current_schema()));
}

TEST_P(CatalogConformance, AssignsFieldIdsAfresh) {
  const Table created = Create(orders_);
  EXPECT_EQ(created.metadata->current_schema()->FindColumn("id")->id, 1);
  EXPECT_EQ(created.metadata->current_schema()->FindColumn("name")->id, 2);
  EXPECT_EQ(created.metadata->last_column_id, 2);
}

TEST_P(CatalogConformance, PutsATableWhereTheCallerSays) {
  TableCreation creation = Creation();
  creation.location = Create({"sales", "near"}).metadata->location + "-by/here";
  const Table created = catalog().CreateTable(orders_, creation).ValueOrDie();
  EXPECT_EQ(created.metadata->location, *creation.location);
}

TEST_P(CatalogConformance, RefusesToCreateATableTwice) {
  const Table first = Create(orders_);
  EXPECT_THAT(catalog().CreateTable(orders_, Creation()), FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_EQ(catalog().LoadTable(orders_)->metadata->table_uuid, first.metadata->table_uuid);
}

TEST_P(CatalogConformance, RefusesNamesThatCannotBe) {
  const std::string long_name(256, 'x');
  const std::vector<TableIdentifier> bad = {{"", "t"},         {"a", ""},
                                            {"a..b", "t"},     {".a", "t"},
                                            {"a", ".."},       {"../x", "t"},
                                            {"a", "b/c"},      {"a", "new\nline"},
                                            {"a", long_name},  {long_name, "t"},
                                            {"a", "\xff"},     {"a", "."},
                                            {"a", "back\\up"}, {"a", std::string("n\0l", 3)}};
  for (const TableIdentifier& identifier : bad) {
    EXPECT_THAT(catalog().CreateTable(identifier, Creation()),
                FailsWith(ErrorCode::kInvalidRequest))
        << identifier.ToString();
  }
  EXPECT_THAT(catalog().ListTables().ValueOrDie(), testing::IsEmpty());
}

TEST_P(CatalogConformance, TakesNamesThatAreOnlyOdd) {
  const std::vector<TableIdentifier> odd = {{"eu.sales", "t"}, {"ns", "it's"},  {"ns", "\"; DROP"},
                                            {"ns", "%n%s"},    {"ns", "täble"}, {"ns", "a b"},
                                            {"ns", "v1.2"}};
  for (const TableIdentifier& identifier : odd) {
    EXPECT_THAT(catalog().CreateTable(identifier, Creation()), IsOk()) << identifier.ToString();
    EXPECT_EQ(catalog().LoadTable(identifier)->identifier, identifier);
  }
  EXPECT_EQ(catalog().ListTables()->size(), odd.size());
}

TEST_P(CatalogConformance, RefusesASchemaThatFormatVersion2CannotHold) {
  TableCreation creation = Creation();
  creation.schema.fields.push_back({.id = 1, .name = "ns", .type = TypeId::kTimestampNs});
  EXPECT_THAT(catalog().CreateTable(orders_, creation), FailsWith(ErrorCode::kInvalidRequest));
  EXPECT_THAT(catalog().LoadTable(orders_), FailsWith(ErrorCode::kNotFound));
}

TEST_P(CatalogConformance, AMissingTableIsNotFound) {
  EXPECT_THAT(catalog().LoadTable(orders_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog().DropTable(orders_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog().CommitTable(orders_, {}, {SetProperties{{{"a", "b"}}}}),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(CatalogConformance, CommitsASnapshotWithItsProperties) {
  const Table base = Create(orders_);
  auto updates = NewSnapshot(base, 42);
  updates.push_back(SetProperties{{{"arka.committed-lsn.n1", "1007"}}});
  const Table committed = catalog().CommitTable(orders_, OnTopOf(base), updates).ValueOrDie();
  EXPECT_EQ(committed.metadata->current_snapshot_id, 42);
  EXPECT_NE(committed.metadata_location, base.metadata_location);

  const Table loaded = catalog().LoadTable(orders_).ValueOrDie();
  EXPECT_EQ(loaded.metadata_location, committed.metadata_location);
  EXPECT_EQ(loaded.metadata->current_snapshot_id, 42);
  EXPECT_EQ(loaded.metadata->properties.at("arka.committed-lsn.n1"), "1007");
  ASSERT_EQ(loaded.metadata->metadata_log.size(), 1u);
  EXPECT_EQ(loaded.metadata->metadata_log[0].metadata_file, base.metadata_location);
}

TEST_P(CatalogConformance, AFailedRequirementIsAConflictAndChangesNothing) {
  const Table base = Create(orders_);
  ASSERT_THAT(catalog().CommitTable(orders_, OnTopOf(base), NewSnapshot(base, 1)), IsOk());
  const Table before = catalog().LoadTable(orders_).ValueOrDie();
  EXPECT_THAT(catalog().CommitTable(orders_, OnTopOf(base), NewSnapshot(base, 2)),
              FailsWith(ErrorCode::kCommitConflict));
  const Table after = catalog().LoadTable(orders_).ValueOrDie();
  EXPECT_EQ(after.metadata_location, before.metadata_location);
  EXPECT_EQ(after.metadata->current_snapshot_id, 1);
}

TEST_P(CatalogConformance, ACommitSentTwiceLandsOnce) {
  const Table base = Create(orders_);
  ASSERT_THAT(catalog().CommitTable(orders_, OnTopOf(base), NewSnapshot(base, 1)), IsOk());
  EXPECT_THAT(catalog().CommitTable(orders_, OnTopOf(base), NewSnapshot(base, 1)),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(catalog().LoadTable(orders_)->metadata->snapshots.size(), 1u);
}

TEST_P(CatalogConformance, ATableMadeAnewIsNotTheOldOne) {
  const Table base = Create(orders_);
  ASSERT_THAT(catalog().DropTable(orders_), IsOk());
  Create(orders_);
  EXPECT_THAT(catalog().CommitTable(orders_, OnTopOf(base), NewSnapshot(base, 1)),
              FailsWith(ErrorCode::kCommitConflict));
}

TEST_P(CatalogConformance, OfTwoCommitsOnOneBaseAtATimeOneLands) {
  Table base = Create(orders_);
  constexpr int kThreads = 2;
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Status> outcomes(kThreads);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const auto updates = NewSnapshot(base, 1 + round * kThreads + i);
        outcomes[i] = catalog().CommitTable(orders_, OnTopOf(base), updates).status();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(outcomes,
                testing::UnorderedElementsAre(IsOk(), FailsWith(ErrorCode::kCommitConflict)));
    base = catalog().LoadTable(orders_).ValueOrDie();
    EXPECT_EQ(base.metadata->snapshots.size(), static_cast<size_t>(round) + 1);
  }
}

TEST_P(CatalogConformance, ListsAllTablesSorted) {
  EXPECT_THAT(catalog().ListTables().ValueOrDie(), testing::IsEmpty());
  Create({"b", "y"});
  Create({"b", "x"});
  Create({"a.c", "z"});
  EXPECT_THAT(catalog().ListTables().ValueOrDie(),
              testing::ElementsAre(TableIdentifier{"a.c", "z"}, TableIdentifier{"b", "x"},
                                   TableIdentifier{"b", "y"}));
}

TEST_P(CatalogConformance, ADroppedTableIsGone) {
  Create(orders_);
  ASSERT_THAT(catalog().DropTable(orders_), IsOk());
  EXPECT_THAT(catalog().LoadTable(orders_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog().ListTables().ValueOrDie(), testing::IsEmpty());
}

}  // namespace arka::iceberg

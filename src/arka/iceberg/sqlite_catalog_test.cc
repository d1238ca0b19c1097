#include "arka/iceberg/sqlite_catalog.h"

#include <csignal>
#include <set>
#include <thread>

#include <sys/resource.h>

#include "arka/iceberg/sample_test.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"
#include "arka/testing/temp_directory.h"

namespace arka::iceberg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SqliteCatalogTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteCatalog> Open(
      const std::string& name = "lake",
      std::chrono::milliseconds busy_timeout = std::chrono::seconds(30)) {
    SqliteCatalogOptions options;
    options.path = path_;
    options.catalog_name = name;
    options.busy_timeout = busy_timeout;
    return SqliteCatalog::Make(options, store_, random_, clock_).ValueOrDie();
  }
  std::unique_ptr<SqliteDatabase> OpenDatabase() {
    return SqliteDatabase::Open(path_, std::chrono::seconds(30), "").ValueOrDie();
  }
  std::vector<SqliteRow> Rows(const std::string& sql) {
    return OpenDatabase()->Query(sql).ValueOrDie();
  }
  static TableCreation Creation() { return {.schema = SampleSchema()}; }
  static std::vector<TableUpdate> Property(const std::string& value) {
    return {SetProperties{{{"p", value}}}};
  }

  const TableIdentifier name_{"arka", "t"};
  TempDirectory directory_;
  const std::string path_ = directory_.path() + "/catalog.db";
  MemoryObjectStore objects_;
  FaultPlan plan_;
  FaultyObjectStore store_{objects_, plan_};
  SeededRandom random_{3};
  SimulatedClock clock_;
};

TEST_F(SqliteCatalogTest, MakesTheTablesThatPyIcebergMakes) {
  Open();
  EXPECT_THAT(Rows("SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || pk "
                   "FROM pragma_table_info('iceberg_tables')"),
              ElementsAre(SqliteRow{"catalog_name VARCHAR(255) 1 1"},
                          SqliteRow{"table_namespace VARCHAR(255) 1 2"},
                          SqliteRow{"table_name VARCHAR(255) 1 3"},
                          SqliteRow{"metadata_location VARCHAR(1000) 0 0"},
                          SqliteRow{"previous_metadata_location VARCHAR(1000) 0 0"},
                          SqliteRow{"iceberg_type VARCHAR(5) 0 0"}));
  EXPECT_THAT(Rows("SELECT name || ' ' || type || ' ' || \"notnull\" || ' ' || pk "
                   "FROM pragma_table_info('iceberg_namespace_properties')"),
              ElementsAre(SqliteRow{"catalog_name VARCHAR(255) 1 1"},
                          SqliteRow{"namespace VARCHAR(255) 1 2"},
                          SqliteRow{"property_key VARCHAR(255) 1 3"},
                          SqliteRow{"property_value VARCHAR(1000) 1 0"}));
}

TEST_F(SqliteCatalogTest, ARowHasTheLocationsAndTheType) {
  const auto catalog = Open();
  const Table created = catalog->CreateTable(name_, Creation()).ValueOrDie();
  const Table changed = catalog->CommitTable(name_, {}, Property("1")).ValueOrDie();
  EXPECT_THAT(Rows("SELECT * FROM iceberg_tables"),
              ElementsAre(SqliteRow{"lake", "arka", "t", changed.metadata_location,
                                    created.metadata_location, "TABLE"}));
  EXPECT_THAT(Rows("SELECT * FROM iceberg_namespace_properties"),
              ElementsAre(SqliteRow{"lake", "arka", "exists", "true"}));
}

TEST_F(SqliteCatalogTest, NumbersItsMetadataFiles) {
  const auto catalog = Open();
  const Table created = catalog->CreateTable(name_, Creation()).ValueOrDie();
  const Table changed = catalog->CommitTable(name_, {}, Property("1")).ValueOrDie();
  EXPECT_THAT(created.metadata_location,
              testing::MatchesRegex("memory://objects/arka/t/metadata/00000-[-0-9a-f]*"
                                    ".metadata.json"));
  EXPECT_THAT(changed.metadata_location, HasSubstr("/metadata/00001-"));
}

TEST_F(SqliteCatalogTest, SurvivesBeingClosed) {
  const Table created = Open()->CreateTable(name_, Creation()).ValueOrDie();
  EXPECT_EQ(Open()->LoadTable(name_)->metadata->table_uuid, created.metadata->table_uuid);
}

TEST_F(SqliteCatalogTest, CatalogsOfOtherNamesInTheSameFileAreApart) {
  Open("other")->CreateTable(name_, Creation()).ValueOrDie();
  const auto catalog = Open();
  EXPECT_THAT(catalog->LoadTable(name_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog->CreateTable(name_, Creation()), IsOk());
}

TEST_F(SqliteCatalogTest, UsesJavasFirstLayoutAsItStands) {
  ASSERT_THAT(
      OpenDatabase()->Query(
          "CREATE TABLE iceberg_tables(catalog_name VARCHAR(255) NOT NULL,table_namespace "
          "VARCHAR(255) NOT NULL,table_name VARCHAR(255) NOT NULL,metadata_location VARCHAR(1000),"
          "previous_metadata_location VARCHAR(1000),"
          "PRIMARY KEY (catalog_name, table_namespace, table_name))"),
      IsOk());
  const auto catalog = Open();
  ASSERT_THAT(catalog->CreateTable(name_, Creation()), IsOk());
  ASSERT_THAT(catalog->CommitTable(name_, {}, Property("1")), IsOk());
  EXPECT_EQ(catalog->LoadTable(name_)->metadata->properties.at("p"), "1");
  EXPECT_EQ(catalog->ListTables()->size(), 1u);
  EXPECT_EQ(Rows("SELECT * FROM iceberg_tables")[0].size(), 5u);
}

TEST_F(SqliteCatalogTest, LeavesViewsAlone) {
  const auto catalog = Open();
  ASSERT_THAT(OpenDatabase()->Query("INSERT INTO iceberg_tables VALUES "
                                    "('lake', 'arka', 't', 'file:///v', NULL, 'VIEW')"),
              IsOk());
  EXPECT_THAT(catalog->ListTables().ValueOrDie(), testing::IsEmpty());
  EXPECT_THAT(catalog->LoadTable(name_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog->DropTable(name_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(catalog->CreateTable(name_, Creation()), FailsWith(ErrorCode::kAlreadyExists));
  EXPECT_THAT(objects_.List("").ValueOrDie(), testing::IsEmpty());
}

TEST_F(SqliteCatalogTest, ALockedDatabaseIsUnavailableAndNothingHappened) {
  const auto catalog = Open("lake", std::chrono::milliseconds(50));
  const Table base = catalog->CreateTable(name_, Creation()).ValueOrDie();
  const size_t files = objects_.List("")->size();
  const auto other = OpenDatabase();
  ASSERT_THAT(other->Begin(), IsOk());
  EXPECT_THAT(catalog->CommitTable(name_, {}, Property("1")), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(catalog->CreateTable({"arka", "u"}, Creation()), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(catalog->DropTable(name_), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(catalog->LoadTable(name_)->metadata_location, base.metadata_location);
  EXPECT_EQ(objects_.List("")->size(), files);
  other->Rollback();
  EXPECT_THAT(catalog->CommitTable(name_, {}, Property("1")), IsOk());
}

TEST_F(SqliteCatalogTest, AReaderInTheWayOfTheCommitIsUnavailableNotUnknown) {
  const auto catalog = Open("lake", std::chrono::milliseconds(50));
  const Table base = catalog->CreateTable(name_, Creation()).ValueOrDie();
  const auto reader = OpenDatabase();
  ASSERT_THAT(reader->Query("BEGIN"), IsOk());
  ASSERT_THAT(reader->Query("SELECT * FROM iceberg_tables"), IsOk());
  EXPECT_THAT(catalog->CommitTable(name_, {}, Property("1")), FailsWith(ErrorCode::kUnavailable));
  reader->Rollback();
  EXPECT_EQ(catalog->LoadTable(name_)->metadata_location, base.metadata_location);
}

TEST_F(SqliteCatalogTest, ASwapThatIsOvertakenConflictsAndLeavesNoFile) {
  const auto catalog = Open();
  catalog->CreateTable(name_, Creation()).ValueOrDie();
  const auto other = Open();
  // While the first commit writes its metadata file, the other one goes through.
  bool overtaken = false;
  plan_.Observe([&](FaultPlan::Moment moment, const Operation& operation) {
    if (operation.kind != "put" || overtaken || moment != FaultPlan::Moment::kBefore) return;
    overtaken = true;
    ASSERT_THAT(other->CommitTable(name_, {}, Property("other")), IsOk());
  });
  EXPECT_THAT(catalog->CommitTable(name_, {}, Property("mine")),
              FailsWith(ErrorCode::kCommitConflict));
  EXPECT_EQ(catalog->LoadTable(name_)->metadata->properties.at("p"), "other");
  EXPECT_EQ(objects_.List("")->size(), 2u);
}

TEST_F(SqliteCatalogTest, AFileThatCannotBeWrittenIsNoCommit) {
  const auto catalog = Open();
  const Table base = catalog->CreateTable(name_, Creation()).ValueOrDie();
  for (const Effect effect : {Effect::kNone, Effect::kFull}) {
    plan_.Clear();
    plan_.Add({.matches = OfKind("put"), .effect = effect});
    EXPECT_THAT(catalog->CommitTable(name_, {}, Property("1")), FailsWith(ErrorCode::kIoFailed));
    EXPECT_EQ(catalog->LoadTable(name_)->metadata_location, base.metadata_location);
  }
}

TEST_F(SqliteCatalogTest, MetadataThatIsNotThereOrDamagedIsNamed) {
  const auto catalog = Open();
  const Table table = catalog->CreateTable(name_, Creation()).ValueOrDie();
  const std::string key = objects_.KeyOf(table.metadata_location).ValueOrDie();
  const auto damaged = arrow::Buffer::FromString("{");
  ASSERT_THAT(objects_.Put(key, {&damaged, 1}), IsOk());
  EXPECT_THAT(catalog->LoadTable(name_), FailsWith(ErrorCode::kCorruption));
  EXPECT_THAT(catalog->LoadTable(name_).status().message(), HasSubstr(table.metadata_location));
  ASSERT_THAT(objects_.Delete(key), IsOk());
  EXPECT_FALSE(catalog->LoadTable(name_).ok());
}

TEST_F(SqliteCatalogTest, AFileThatIsNoDatabaseIsRefused) {
  std::FILE* file = std::fopen(path_.c_str(), "w");
  std::fputs(std::string(4096, 'x').c_str(), file);
  std::fclose(file);
  SqliteCatalogOptions options;
  options.path = path_;
  EXPECT_THAT(SqliteCatalog::Make(options, store_, random_, clock_),
              FailsWith(ErrorCode::kCorruption));
  options.path = directory_.path() + "/missing/catalog.db";
  EXPECT_THAT(SqliteCatalog::Make(options, store_, random_, clock_),
              FailsWith(ErrorCode::kIoFailed));
}

TEST_F(SqliteCatalogTest, TwoConnectionsOnTwoThreadsLoseNoCommit) {
  Open()->CreateTable(name_, Creation()).ValueOrDie();
  constexpr int kEach = 10;
  const auto work = [&](const std::string& who) {
    const auto catalog = Open();
    for (int i = 0; i < kEach;) {
      const auto updates =
          std::vector<TableUpdate>{SetProperties{{{who + std::to_string(i), "1"}}}};
      const Status status = catalog->CommitTable(name_, {}, updates).status();
      if (status.ok()) ++i;
      const ErrorCode code = status.ok() ? ErrorCode::kCommitConflict : CodeOf(status);
      ASSERT_TRUE(code == ErrorCode::kCommitConflict || code == ErrorCode::kUnavailable);
    }
  };
  std::thread other(work, "a");
  work("b");
  other.join();
  EXPECT_EQ(Open()->LoadTable(name_)->metadata->properties.size(), 2 * kEach + 1u);
}

/// While it lives, no file of this process grows past `size_bytes`: a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size_bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = size_bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST_F(SqliteCatalogTest, WhereverTheDiskFillsTheAnswerIsTrue) {
  std::set<ErrorCode> seen;
  Table table = Open()->CreateTable(name_, Creation()).ValueOrDie();
  for (rlim_t limit = 0; limit <= 32 * 1024; limit += 1024) {
    const auto catalog = Open();
    Status outcome;
    {
      const FileSizeLimit full(limit);
      outcome = catalog->CommitTable(name_, {}, Property(std::to_string(limit))).status();
    }
    const Table after = Open()->LoadTable(name_).ValueOrDie();
    const bool landed = after.metadata_location != table.metadata_location;
    if (outcome.ok()) {
      EXPECT_TRUE(landed) << limit;
      EXPECT_EQ(after.metadata->properties.at("p"), std::to_string(limit));
    } else if (CodeOf(outcome) != ErrorCode::kCommitUnknown) {
      EXPECT_FALSE(landed) << limit << ": " << outcome.ToString();
    }
    seen.insert(outcome.ok() ? ErrorCode::kInternal : CodeOf(outcome));
    table = after;
  }
  EXPECT_THAT(seen, ElementsAre(ErrorCode::kIoFailed, ErrorCode::kCommitUnknown,
                                ErrorCode::kInternal /* none */));
}

TEST(SqliteDatabase, IsDurable) {
  TempDirectory directory;
  const auto database =
      SqliteDatabase::Open(directory.path() + "/c.db", std::chrono::milliseconds(1), "")
          .ValueOrDie();
  EXPECT_THAT(database->Query("PRAGMA synchronous").ValueOrDie(), ElementsAre(SqliteRow{"3"}));
}

}  // namespace
}  // namespace arka::iceberg

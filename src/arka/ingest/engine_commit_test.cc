#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"
#include "arka/ingest/unruly_catalog_test.h"

namespace arka::ingest {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

const iceberg::TableIdentifier kArchive{"sales", "orders_2025"};

std::string ProblemOf(const Engine& engine, const iceberg::TableIdentifier& table) {
  for (const auto& status : engine.status().tables) {
    if (status.name == table.ToString()) return status.problem;
  }
  return "no such table in the status";
}

int64_t PendingOf(const Engine& engine, const iceberg::TableIdentifier& table) {
  for (const auto& status : engine.status().tables) {
    if (status.name == table.ToString()) return status.pending_writes;
  }
  return -1;
}

bool HasDataFileName(const std::string& key) { return key.find("/data/") != std::string::npos; }

/// Keeps every data file that was ever written in mind: nothing may delete one.
int DeletedDataFiles(const FaultPlan& warehouse_faults) {
  int deleted = 0;
  for (const auto& entry : warehouse_faults.Log()) {
    const auto& operation = entry.operation;
    deleted += operation.kind == "delete" && operation.target.find("/data/") != std::string::npos;
  }
  return deleted;
}

void AddColumn(iceberg::MemoryCatalog& catalog, const iceberg::TableIdentifier& name) {
  const auto table = catalog.LoadTable(name).ValueOrDie();
  iceberg::Schema schema = *table.metadata->current_schema();
  schema.schema_id = 1;
  schema.fields.push_back({2, "note", iceberg::TypeId::kString, false, "", ""});
  ASSERT_THAT(
      catalog.CommitTable(name, {}, {iceberg::AddSchema{schema}, iceberg::SetCurrentSchema{}}),
      IsOk());
}

/// A table of two columns: what AddColumn makes of the usual one.
struct WideStream : IdStream {
  WideStream() {
    schema = arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false),
                            arrow::field("note", arrow::utf8())});
  }
  Result<Lsn> WriteWide(Engine& engine, int64_t id) {
    arrow::Int64Builder ids;
    arrow::StringBuilder notes;
    ARROW_RETURN_NOT_OK(ids.Append(id));
    ARROW_RETURN_NOT_OK(notes.Append("note"));
    ARROW_ASSIGN_OR_RAISE(auto id_column, ids.Finish());
    ARROW_ASSIGN_OR_RAISE(auto note_column, notes.Finish());
    ARROW_ASSIGN_OR_RAISE(
        auto write, DecodeBatch(arrow::RecordBatch::Make(schema, 1, {id_column, note_column})));
    return engine.Write(*target, write);
  }
};

/// Values of the column `note` that are not null, by what the manifests say of the data files.
int64_t CountNotes(Deployment& deployment) {
  const auto table = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  const auto text = [&](const std::string& uri) {
    auto& warehouse = deployment.warehouse_memory;
    return warehouse.Get(*warehouse.KeyOf(uri)).ValueOrDie();
  };
  const auto list = text(table.metadata->current_snapshot()->manifest_list);
  int64_t notes = 0;
  for (const auto& manifest : iceberg::ReadManifestList(std::string_view(*list)).ValueOrDie()) {
    const auto bytes = text(manifest.manifest_path);
    const auto entries = iceberg::ReadManifest(std::string_view(*bytes), manifest).ValueOrDie();
    for (const auto& entry : entries) {
      const auto values = entry.data_file.value_counts.find(2);
      if (values == entry.data_file.value_counts.end()) continue;
      notes += values->second - entry.data_file.null_value_counts.at(2);
    }
  }
  return notes;
}

TEST(EngineCommit, ATableDroppedWhileItHasWritesKeepsThemAndLandsThemWhenItIsBack) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders, users;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0), IsOk());
  const auto dropped = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  ASSERT_THAT(deployment.catalog_memory.DropTable(kOrders), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return orders.target->table->is_gone(); }));

  EXPECT_THAT(ProblemOf(*engine, kOrders), HasSubstr("bring the table back"));
  EXPECT_EQ(PendingOf(*engine, kOrders), 1);
  const auto refused = orders.Write(*engine, 1);
  ASSERT_THAT(refused, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(refused.status().message(), HasSubstr(dropped.metadata->table_uuid));
  IdStream again;
  EXPECT_THAT(again.Open(*engine, kOrders), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(deployment.catalog_memory.LoadTable(kOrders), FailsWith(ErrorCode::kNotFound))
      << "no other table is made in its place";
  const Lsn last = users.Write(*engine, 0).ValueOrDie();
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return users.target->table->committed_through() == last; }));
  auto drained = std::async([&] { return engine->Drain(seconds(5)); });
  ASSERT_TRUE(deployment.PassTimeUntil(
      [&] { return drained.wait_for(seconds(0)) == std::future_status::ready; }));
  EXPECT_THAT(drained.get(), IsOk()) << "nobody waits for what cannot be committed";

  deployment.catalog_memory.Register(dropped);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
  EXPECT_EQ(ProblemOf(*engine, kOrders), "");
  EXPECT_EQ(PendingOf(*engine, kOrders), 0);
  ASSERT_THAT(orders.Write(*engine, 1), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(2));
}

TEST(EngineCommit, ATableGoneAtTheStartLandsItsWritesWhenItIsBackWithoutARestart) {
  Deployment deployment;
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    for (int64_t i = 0; i < 10; ++i) ASSERT_THAT(orders.Write(*engine, i), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil(
        [&] { return engine->progress().watermarks.s3_lsn == Lsn{1009}; }));
  }
  deployment.catalog_faults.Clear();
  const auto dropped = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  ASSERT_THAT(deployment.catalog_memory.DropTable(kOrders), IsOk());
  auto engine = deployment.StartEngine();
  EXPECT_THAT(ProblemOf(*engine, kOrders), HasSubstr("is gone"));
  EXPECT_EQ(PendingOf(*engine, kOrders), 10);
  IdStream users;
  ASSERT_THAT(users.Open(*engine, kUsers), IsOk());
  ASSERT_THAT(users.Write(*engine, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return !deployment.ReadIds(kUsers).empty(); }));

  deployment.catalog_memory.Register(dropped);
  IdStream orders;  // and a stream that comes at once does not overtake them
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 10), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(11));
  EXPECT_EQ(ProblemOf(*engine, kOrders), "");
}

TEST(EngineCommit, ARenamedTableIsTheSameTableAndItsOldNameIsFree) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0), IsOk());
  ASSERT_THAT(deployment.catalog_memory.RenameTable(kOrders, kArchive), IsOk());
  IdStream archive;  // both write to one table, in one order
  ASSERT_THAT(archive.Open(*engine, kArchive), IsOk());
  EXPECT_EQ(archive.target->table, orders.target->table);
  ASSERT_THAT(archive.Write(*engine, 1), IsOk());
  ASSERT_THAT(orders.Write(*engine, 2), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kArchive), EachOnce(3));

  IdStream fresh;
  ASSERT_THAT(fresh.Open(*engine, kOrders), IsOk());
  EXPECT_NE(fresh.target->table, orders.target->table);
  ASSERT_THAT(fresh.Write(*engine, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
  EXPECT_EQ(deployment.ReadIds(kArchive), EachOnce(3));
}

TEST(EngineCommit, ATableReplacedByAnotherOneKeepsItsWritesApart) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 7), IsOk());
  auto old = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  ASSERT_THAT(deployment.catalog_memory.DropTable(kOrders), IsOk());
  ASSERT_THAT(deployment.catalog_memory.CreateTable(
                  kOrders, {*old.metadata->current_schema(), {}, std::nullopt}),
              IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return orders.target->table->is_gone(); }));
  IdStream fresh;
  ASSERT_THAT(fresh.Open(*engine, kOrders), IsOk());
  const Lsn lsn = fresh.Write(*engine, 0).ValueOrDie();
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return fresh.target->table->committed_through() == lsn; }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));

  old.identifier = kArchive;  // whoever wants the old one's writes brings it back under any name
  deployment.catalog_memory.Register(old);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kArchive), (std::map<int64_t, int>{{7, 1}}));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
}

TEST(EngineCommit, AnAlteredTableTakesWritesOfBothSchemas) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream narrow;
  ASSERT_THAT(narrow.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(narrow.Write(*engine, 0), IsOk());
  AddColumn(deployment.catalog_memory, kOrders);
  WideStream wide;
  ASSERT_THAT(wide.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(wide.WriteWide(*engine, 1), IsOk());
  ASSERT_THAT(narrow.Write(*engine, 2), IsOk());
  ASSERT_THAT(wide.WriteWide(*engine, 3), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(4));
  EXPECT_EQ(CountNotes(deployment), 2);
}

TEST(EngineCommit, ACommitSeesThatTheTableWasAlteredAndNewStreamsGetTheNewSchema) {
  Deployment deployment;
  auto engine = deployment.StartEngine();
  IdStream narrow;
  ASSERT_THAT(narrow.Open(*engine, kOrders), IsOk());
  AddColumn(deployment.catalog_memory, kOrders);
  ASSERT_NE(engine->FindTable(kOrders, *narrow.schema), nullptr);
  ASSERT_THAT(narrow.Write(*engine, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(engine->FindTable(kOrders, *narrow.schema), nullptr);
  IdStream late;
  EXPECT_THAT(late.Open(*engine, kOrders), FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(EngineCommit, WritesOfAnOlderSchemaLandAfterARestart) {
  Deployment deployment;
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  {
    auto engine = deployment.StartEngine();
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    for (int64_t i = 0; i < 5; ++i) ASSERT_THAT(orders.Write(*engine, i), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil(
        [&] { return engine->progress().watermarks.s3_lsn == Lsn{1004}; }));
  }
  deployment.catalog_faults.Clear();
  AddColumn(deployment.catalog_memory, kOrders);
  auto engine = deployment.StartEngine();
  WideStream wide;
  ASSERT_THAT(wide.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(wide.WriteWide(*engine, 5), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(6));
  EXPECT_EQ(CountNotes(deployment), 1);
}

TEST(EngineCommit, ACommitThatFailsGoesBeforeWhatWasStagedSince) {
  Deployment deployment;
  deployment.options.max_buffer_bytes = 16 << 10;
  deployment.catalog_faults.Add(
      {.matches = OfKind("commit_table"), .error = Error(ErrorCode::kUnavailable, "503")});
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<bool> hangs = false;
  deployment.catalog_faults.Observe([&](FaultPlan::Moment moment, const Operation& operation) {
    if (moment != FaultPlan::Moment::kBefore || operation.kind != "commit_table") return;
    hangs = true;
    released.wait();
  });
  const auto data_files = [&] {
    int put = 0;
    for (const auto& entry : deployment.warehouse_faults.Log()) {
      put += entry.operation.kind == "put" && HasDataFileName(entry.operation.target);
    }
    return put;
  };
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0), IsOk());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return hangs.load(); }));
  const Lsn last = orders.Write(*engine, 1, 10'000).ValueOrDie();  // more than the buffer takes
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return data_files() == 2; }));

  release.set_value();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  const auto table = deployment.catalog_memory.LoadTable(kOrders).ValueOrDie();
  EXPECT_EQ(lake::CommittedLsnOf(*table.metadata, "node-1").ValueOrDie(), last);
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(10'001));
}

TEST(EngineCommit, AnyAnswersAndRestartsCommitEveryRowOnce) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Deployment deployment(seed);
    UnrulyCatalog catalog(deployment.catalog_memory, deployment.warehouse_memory, deployment.clock,
                          seed + 1000);
    SeededRandom dice(seed + 2000);  // one seed for all would give the same UUIDs twice
    int64_t written = 0;
    for (int life = 0; life < 4; ++life) {
      catalog.calm = life == 3;
      ASSERT_THAT(deployment.fs.CreateDirs("data"), IsOk());
      Result<std::unique_ptr<Engine>> made = Error(ErrorCode::kUnavailable, "");
      while (!made.ok()) {  // a start may find the catalog away
        made = Engine::Make({deployment.fs, deployment.clock, deployment.random, deployment.objects,
                             deployment.warehouse, catalog},
                            deployment.options);
      }
      Engine& engine = **made;
      engine.Start();
      IdStream orders;
      while (!orders.Open(engine, kOrders).ok()) {
      }
      for (int round = 0; round < 3; ++round) {
        const auto writes = static_cast<int64_t>(dice.Next() % 4);
        for (int64_t i = 0; i < writes; ++i) ASSERT_THAT(orders.Write(engine, written++), IsOk());
        const SteadyTime until =
            deployment.clock.Now() + std::chrono::milliseconds(dice.Next() % 3000);
        ASSERT_TRUE(deployment.PassTimeUntil([&] { return deployment.clock.Now() >= until; }));
      }
      const Lsn last = engine.progress().watermarks.last_lsn;
      ASSERT_TRUE(deployment.PassTimeUntil([&] {
        return life == 3 ? AllCommitted(engine) : engine.progress().watermarks.s3_lsn == last;
      }));
    }
    catalog.LandAllLate();
    ASSERT_EQ(deployment.ReadIds(kOrders), EachOnce(written));
    ASSERT_EQ(DeletedDataFiles(deployment.warehouse_faults), 0);
  }
}

}  // namespace
}  // namespace arka::ingest

// Writes of tables that were dropped, and that the operator gives up at a start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::ingest {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// A server that wrote to two tables in turn, users first, and could commit nothing; then one of
/// them, orders, was dropped.
struct DroppedTable : Deployment {
  static constexpr int64_t kWrites = 4;  // to each

  explicit DroppedTable(uint64_t seed = 1) : Deployment(seed) {
    CommitsFail();
    auto engine = StartEngine();
    IdStream orders, users;
    EXPECT_THAT(orders.Open(*engine, kOrders), IsOk());
    EXPECT_THAT(users.Open(*engine, kUsers), IsOk());
    const auto producer = engine->OpenProducer(*orders.target, "p").ValueOrDie();
    for (int64_t i = 0; i < kWrites; ++i) {
      of_users.push_back(users.Write(*engine, i).ValueOrDie());
      of_orders.push_back(orders.WriteOnce(*engine, *producer, i + 1, i)->lsn);
    }
    EXPECT_TRUE(PassTimeUntil([&] {
      const auto watermarks = engine->progress().watermarks;
      return watermarks.disk_lsn == of_orders.back() && watermarks.s3_lsn == of_orders.back();
    }));
    engine.reset();
    dropped = catalog_memory.LoadTable(kOrders).ValueOrDie();
    EXPECT_THAT(catalog_memory.DropTable(kOrders), IsOk());
  }

  void CommitsFail() { catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood}); }

  std::unique_ptr<Engine> StartGivingUp() {
    options.give_up_writes_of = {dropped.metadata->table_uuid};
    auto engine = StartEngine();
    options.give_up_writes_of.clear();
    return engine;
  }

  /// Whether all writes to orders are lost; none of them is where this answers false.
  bool AllLost(const Engine& engine) const {
    int64_t lost = 0;
    for (const Lsn lsn : of_orders) lost += engine.LevelOf(lsn)->tier ? 0 : 1;
    EXPECT_TRUE(lost == 0 || lost == kWrites) << lost;
    return lost == kWrites;
  }

  int LogObjects() {
    int objects = 0;
    const auto listed = object_memory.List("log/").ValueOrDie();
    for (const auto& object : listed) objects += object.key.ends_with(".arkalog");
    return objects;
  }

  std::vector<Lsn> of_orders, of_users;
  iceberg::Table dropped;
};

std::vector<std::string> Problems(const Engine& engine) {
  std::vector<std::string> problems;
  for (const auto& table : engine.status().tables) {
    if (!table.problem.empty()) problems.push_back(table.problem);
  }
  return problems;
}

TEST(EngineGiveUp, WritesThatAreGivenUpAreLostAndTheLogIsReleased) {
  DroppedTable deployment;
  deployment.catalog_faults.Clear();
  {
    auto engine = deployment.StartEngine();  // without being asked nothing is given up
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return !deployment.ReadIds(kUsers).empty(); }));
    EXPECT_FALSE(deployment.AllLost(*engine));
    ASSERT_EQ(Problems(*engine).size(), 1u);
    EXPECT_THAT(Problems(*engine)[0],
                HasSubstr("--give-up-writes-of " + deployment.dropped.metadata->table_uuid));
  }
  EXPECT_GT(deployment.LogObjects(), 0);
  {
    auto engine = deployment.StartGivingUp();
    EXPECT_TRUE(deployment.AllLost(*engine));
    EXPECT_THAT(Problems(*engine), IsEmpty());
    EXPECT_EQ(engine->ReachedAt(Tier::kLocalDisk, deployment.of_orders[0]), std::nullopt);
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return deployment.LogObjects() == 0; }));
    EXPECT_TRUE(deployment.AllLost(*engine));
    for (const Lsn lsn : deployment.of_users) {
      EXPECT_EQ(engine->LevelOf(lsn)->tier, Tier::kCommitted);
    }
    IdStream fresh;  // its name is free
    ASSERT_THAT(fresh.Open(*engine, kOrders), IsOk());
    ASSERT_THAT(fresh.Write(*engine, 0), IsOk());
    ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
    EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
  }
  for (const bool flag_is_left : {true, false}) {
    auto engine = flag_is_left ? deployment.StartGivingUp() : deployment.StartEngine();
    EXPECT_TRUE(deployment.AllLost(*engine));
    EXPECT_THAT(Problems(*engine), IsEmpty());
    EXPECT_TRUE(AllCommitted(*engine));
  }
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(DroppedTable::kWrites));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(1));
}

TEST(EngineGiveUp, GivesNothingUpOfATableThatTheCatalogHasUnderAnyName) {
  DroppedTable deployment;
  for (int i = 0; i <= 100; ++i) {  // more than are searched otherwise
    ASSERT_THAT(deployment.catalog_memory.CreateTable(
                    {"many", "table_" + std::to_string(i)},
                    {*deployment.dropped.metadata->current_schema(), {}, std::nullopt}),
                IsOk());
  }
  const iceberg::TableIdentifier renamed{"sales", "renamed"};
  auto table = deployment.dropped;
  table.identifier = renamed;
  deployment.catalog_memory.Register(table);
  {
    auto engine = deployment.StartGivingUp();
    EXPECT_FALSE(deployment.AllLost(*engine));
  }
  ASSERT_THAT(deployment.catalog_memory.RenameTable(renamed, kOrders), IsOk());
  deployment.catalog_faults.Clear();
  auto engine = deployment.StartGivingUp();
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_FALSE(deployment.AllLost(*engine));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(DroppedTable::kWrites));
}

TEST(EngineGiveUp, ACatalogThatDoesNotAnswerIsNoTableThatIsGone) {
  DroppedTable deployment;
  ASSERT_THAT(
      deployment.catalog_memory.CreateTable(
          {"sales", "another"}, {*deployment.dropped.metadata->current_schema(), {}, std::nullopt}),
      IsOk());
  deployment.catalog_faults.Add({.matches = OnTarget("another"),
                                 .times = kForGood,
                                 .error = Error(ErrorCode::kTimedOut, "")});
  deployment.options.give_up_writes_of = {deployment.dropped.metadata->table_uuid};
  EXPECT_THAT(deployment.MakeEngine(), FailsWith(ErrorCode::kTimedOut));
}

TEST(EngineGiveUp, WhatTheLogStillHoldsOfThemHoldsNothingUp) {
  DroppedTable deployment;  // users cannot commit: all that was given up stays in the log
  EXPECT_TRUE(deployment.AllLost(*deployment.StartGivingUp()));
  deployment.catalog_faults.Clear();
  auto engine = deployment.StartEngine();
  EXPECT_TRUE(deployment.AllLost(*engine));
  EXPECT_THAT(Problems(*engine), IsEmpty());
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(DroppedTable::kWrites));
}

TEST(EngineGiveUp, ATableThatComesBackGetsNoneOfThemAndKnowsTheirSeqs) {
  DroppedTable deployment;
  const int64_t next = DroppedTable::kWrites + 1;
  {
    auto engine = deployment.StartGivingUp();
    deployment.catalog_memory.Register(deployment.dropped);
    IdStream orders;
    ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
    EXPECT_EQ(engine->LastSeqOf(kOrders, "p")->seq, DroppedTable::kWrites);
    const auto producer = engine->OpenProducer(*orders.target, "p").ValueOrDie();
    const auto again = orders.WriteOnce(*engine, *producer, 2, 1);
    ASSERT_THAT(again, FailsWith(ErrorCode::kNotFound)) << "an ack of it would be a lie";
    EXPECT_THAT(again.status().message(), HasSubstr("given up"));
    const auto lsn = orders.WriteOnce(*engine, *producer, next, 100)->lsn;
    ASSERT_TRUE(
        deployment.PassTimeUntil([&] { return engine->progress().watermarks.s3_lsn == lsn; }));
  }
  deployment.catalog_faults.Clear();
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  const auto producer = engine->OpenProducer(*orders.target, "p").ValueOrDie();
  EXPECT_THAT(orders.WriteOnce(*engine, *producer, 2, 1), FailsWith(ErrorCode::kNotFound));
  EXPECT_TRUE(orders.WriteOnce(*engine, *producer, next, 100)->is_retry);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_TRUE(deployment.AllLost(*engine));
  EXPECT_EQ(deployment.ReadIds(kOrders), (std::map<int64_t, int>{{100, 1}}));
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(DroppedTable::kWrites));
}

TEST(EngineGiveUp, WhatIsGivenUpStaysSoThoughItWasNeverUploaded) {
  DroppedTable deployment;
  for (const auto& object : deployment.object_memory.List("log/").ValueOrDie()) {
    ASSERT_THAT(deployment.object_memory.Delete(object.key), IsOk());
  }
  deployment.object_faults.Add({.matches = OnTarget(".arkalog"), .times = kForGood});
  {
    auto engine = deployment.StartGivingUp();
    EXPECT_TRUE(deployment.AllLost(*engine));
    EXPECT_LT(engine->progress().watermarks.s3_lsn, deployment.of_orders[0]);
  }
  deployment.object_faults.Clear();
  deployment.catalog_faults.Clear();
  deployment.catalog_memory.Register(deployment.dropped);
  auto engine = deployment.StartEngine();
  EXPECT_TRUE(deployment.AllLost(*engine));
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_THAT(deployment.ReadIds(kOrders), IsEmpty());
  EXPECT_EQ(deployment.ReadIds(kUsers), EachOnce(DroppedTable::kWrites));
}

// Whatever is the last thing that the start does: once it was told that writes are lost they never
// land, and where they land nobody was told that they are lost.
TEST(EngineGiveUp, ACrashAtAnyMomentLeavesThemLostOrHeldAndNothingBetween) {
  int told_lost = 0, held = 0;
  for (const bool of_the_disk : {true, false}) {
    for (const Effect effect : {Effect::kNone, Effect::kPartial, Effect::kFull}) {
      for (int64_t nth = 1; nth < 500; ++nth) {
        SCOPED_TRACE(testing::Message() << (of_the_disk ? "disk" : "store") << ", operation " << nth
                                        << ", effect " << static_cast<int>(effect));
        DroppedTable deployment(nth);
        FaultPlan& plan = of_the_disk ? deployment.disk_faults : deployment.object_faults;
        plan.Add({.nth = nth, .effect = effect});
        plan.Add({.nth = nth + 1, .times = kForGood});
        deployment.options.give_up_writes_of = {deployment.dropped.metadata->table_uuid};
        bool told = false;
        if (const auto engine = deployment.MakeEngine(); engine.ok()) {
          told = deployment.AllLost(**engine);
          EXPECT_TRUE(told);
        }
        const bool fired = plan.fired();
        plan.Clear();
        deployment.disk.LosePower(nth, PowerLoss::kTearSectors);

        deployment.options.give_up_writes_of.clear();
        deployment.catalog_faults.Clear();
        deployment.catalog_memory.Register(deployment.dropped);
        auto engine = deployment.StartEngine();
        const bool lost = deployment.AllLost(*engine);
        ASSERT_TRUE(lost || !told);
        ++(lost ? told_lost : held);
        ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
        ASSERT_EQ(deployment.ReadIds(kOrders), EachOnce(lost ? 0 : DroppedTable::kWrites));
        ASSERT_EQ(deployment.ReadIds(kUsers), EachOnce(DroppedTable::kWrites));
        ASSERT_EQ(deployment.AllLost(*engine), lost);
        if (!fired) break;
      }
    }
  }
  EXPECT_GT(told_lost, 0);
  EXPECT_GT(held, 0);
}

}  // namespace
}  // namespace arka::ingest

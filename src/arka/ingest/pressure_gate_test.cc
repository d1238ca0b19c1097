#include "arka/ingest/pressure_gate.h"

#include <gtest/gtest.h>

#include "arka/ingest/deployment_test.h"

namespace arka::ingest {
namespace {

class ScriptedMemory : public ProcessMemory {
 public:
  Result<int64_t> ResidentBytes() override { return resident.load(); }
  void Purge() override { ++purges; }

  std::atomic<int64_t> resident{0};
  std::atomic<int> purges{0};
};

TEST(PressureGate, ClosesAboveTheMemoryLimitAndOpensBelowNineTenthsOfIt) {
  SimulatedClock clock;
  ScriptedMemory memory;
  MemoryBudget budget(1000);
  int opened = 0;
  PressureGate gate({.memory_bytes = 100}, &memory, budget, clock, [&] { ++opened; });
  memory.resident = 100;
  gate.Step();
  EXPECT_THAT(gate.Check(), IsOk());
  memory.resident = 101;
  gate.Step();
  ASSERT_THAT(gate.Check(), FailsWith(ErrorCode::kBackpressure));
  EXPECT_NE(gate.Check().message().find("server.memory_limit"), std::string::npos);
  EXPECT_TRUE(budget.is_tight()) << "buffers are written out";
  EXPECT_EQ(memory.purges, 1);
  memory.resident = 95;
  gate.Step();
  EXPECT_FALSE(gate.Check().ok());
  EXPECT_EQ(opened, 0);
  memory.resident = 90;
  gate.Step();
  EXPECT_THAT(gate.Check(), IsOk());
  EXPECT_EQ(opened, 1);
  EXPECT_FALSE(budget.is_tight());
  gate.Step();
  EXPECT_EQ(opened, 1) << "told once";
}

TEST(PressureGate, AnEngineAboveItsMemoryLimitRefusesAndGoesOnBelowIt) {
  Deployment deployment;
  ScriptedMemory memory;
  deployment.options.memory_limit_bytes = 100;
  auto made = Engine::Make({deployment.fs, deployment.clock, deployment.random, deployment.objects,
                            deployment.warehouse, deployment.catalog, &memory},
                           deployment.options);
  ASSERT_THAT(made, IsOk());
  auto engine = std::move(*made);
  engine->Start();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  ASSERT_THAT(orders.Write(*engine, 0), IsOk());
  memory.resident = 200;
  ASSERT_TRUE(
      deployment.PassTimeUntil([&] { return engine->status().process_memory_bytes == 200; }));
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return !orders.Write(*engine, 7, 0).ok(); }));
  std::atomic<bool> told = false;
  const auto ticket = engine->turns()->Join([&] { told = true; });
  EXPECT_THAT(orders.Write(*engine, 1, 1, ticket), FailsWith(ErrorCode::kBackpressure));
  told = false;
  memory.resident = 50;
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return told.load(); }));
  EXPECT_THAT(orders.Write(*engine, 1, 1, ticket), IsOk());
  engine->turns()->Leave(ticket, /*refused=*/false);
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(2));
}

// The disk budget: nothing can be committed, so nothing of the log can be released.
TEST(PressureGate, ALogAtItsBoundRefusesWritesUntilSomeAreCommitted) {
  Deployment deployment;
  deployment.options.log.segment_bytes = 64 << 10;
  deployment.options.log.max_bytes = 512 << 10;
  deployment.options.max_unflushed_bytes = 256 << 10;
  deployment.options.max_buffer_bytes = 64 << 10;
  auto engine = deployment.StartEngine();
  IdStream orders;
  ASSERT_THAT(orders.Open(*engine, kOrders), IsOk());
  deployment.catalog_faults.Add({.matches = OfKind("commit_table"), .times = kForGood});
  int64_t rows = 0;
  Status refused;
  ASSERT_TRUE(deployment.PassTimeUntil([&] {
    const auto lsn = orders.Write(*engine, rows, 1000);
    if (lsn.ok()) rows += 1000;
    refused = lsn.status();
    return refused.message().find("wal.max_bytes") != std::string::npos &&
           engine->status().undurable_bytes == 0;
  }));
  EXPECT_THAT(refused, FailsWith(ErrorCode::kBackpressure));
  EXPECT_GT(rows, 20'000);
  EXPECT_LE(engine->status().log_bytes, deployment.options.log.max_bytes);

  deployment.catalog_faults.Clear();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(deployment.PassTimeUntil([&] {
      const bool taken = orders.Write(*engine, rows, 1000).ok();
      if (taken) rows += 1000;
      EXPECT_LE(engine->status().log_bytes, deployment.options.log.max_bytes);
      return taken;
    }));
  }
  ASSERT_TRUE(deployment.PassTimeUntil([&] { return AllCommitted(*engine); }));
  EXPECT_EQ(deployment.ReadIds(kOrders), EachOnce(rows));
}

}  // namespace
}  // namespace arka::ingest

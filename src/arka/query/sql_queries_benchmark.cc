// What a query costs besides its own work: asking a worker, taking snapshots, handing rows over.
#include <benchmark/benchmark.h>

#include "arka/ingest/deployment_test.h"
#include "arka/query/sql_queries.h"

namespace arka::query {
namespace {

constexpr int64_t kWriteRows = 100'000;

class Queries {
 public:
  explicit Queries(int64_t fresh_rows) {
    deployment_.options.log.segment_bytes = 16 << 20;
    deployment_.options.commit_interval = std::chrono::hours(24);
    engine_ = deployment_.StartEngine();
    source_ = std::make_unique<ReadSource>(
        ReadSource{*engine_, deployment_.catalog, deployment_.warehouse, deployment_.options.node});
    SqlOptions options;
    options.workers.worker.program = WorkerProgramPath();
    queries_ = std::make_unique<SqlQueries>(*source_, options);
    ingest::IdStream stream;
    Require(stream.Open(*engine_, ingest::kOrders));
    for (int64_t row = 0; row < fresh_rows; row += kWriteRows) {
      Require(stream.Write(*engine_, row, std::min(kWriteRows, fresh_rows - row)).status());
    }
  }

  void Run(const std::string& sql) {
    auto result = queries_->Execute({sql, {}, {}, {}});
    Require(result.status());
    while (true) {
      auto message = (*result)->Next();
      Require(message.status());
      if (!*message) return;
    }
  }

  void Describe(const std::string& sql) { Require(queries_->Describe({sql, {}, {}, {}}).status()); }

 private:
  static void Require(const Status& status) {
    if (!status.ok()) status.Abort();
  }

  ingest::Deployment deployment_;
  std::unique_ptr<ingest::Engine> engine_;
  std::unique_ptr<ReadSource> source_;
  std::unique_ptr<SqlQueries> queries_;
};

void BM_Describe(benchmark::State& state) {
  Queries queries(1);
  for (auto _ : state) queries.Describe("SELECT id FROM sales.orders WHERE id = 7");
}
BENCHMARK(BM_Describe)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_SelectOne(benchmark::State& state) {
  Queries queries(1);
  for (auto _ : state) queries.Run("SELECT 1");
}
BENCHMARK(BM_SelectOne)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_CountAndSumOfFreshRows(benchmark::State& state) {
  Queries queries(state.range(0));
  for (auto _ : state) queries.Run("SELECT count(*), sum(id) FROM sales.orders");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CountAndSumOfFreshRows)
    ->Arg(1'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace arka::query

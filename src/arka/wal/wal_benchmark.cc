// What the log costs and reaches on the disk under $TMPDIR, beside that disk's bare rate.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "arka/base/check.h"
#include "arka/io/posix_fs.h"
#include "arka/io/system_clock.h"
#include "arka/testing/temp_directory.h"
#include "arka/wal/crc32c.h"
#include "arka/wal/log.h"

namespace arka::wal {
namespace {

constexpr int64_t kMaxPendingBytes = 64 << 20;

class IgnoredRecords : public ReplayVisitor {
 public:
  Status OnDefinition(const Definition&) override { return Status::OK(); }
  Status OnWrite(WriteRecord) override { return Status::OK(); }
};

class CountedGroups : public LogListener {
 public:
  void OnDurable(Lsn) override { groups_.fetch_add(1, std::memory_order_relaxed); }
  void OnNoRoom(const Status& reason) override { ARKA_CHECK(reason.ok()); }
  void OnPoisoned(const Status& error) override { ARKA_CHECK(error.ok()); }
  int64_t count() const { return groups_.load(); }

 private:
  std::atomic<int64_t> groups_{0};
};

/// A log on the real disk whose segments are released as soon as they are durable.
class BenchmarkLog {
 public:
  explicit BenchmarkLog(int64_t body_bytes, bool settled = true) {
    LogOptions options;
    options.directory = directory_.path() + "/log";
    IgnoredRecords ignored;
    log = Log::Open(fs_, clock_, options, ignored).ValueOrDie();
    log->Start(groups);
    ARKA_CHECK(log->Define({.id = {1}, .bytes = arrow::Buffer::FromString("schema")}).ok());
    record.definition = {1};
    record.header = arrow::Buffer::FromString(std::string(200, 'h'));
    record.body = arrow::Buffer::FromString(std::string(static_cast<size_t>(body_bytes), 'b'));
    ARKA_CHECK(log->Append(record).ok() && log->Flush().ok());  // the first segment is there
    if (settled) std::this_thread::sleep_for(std::chrono::seconds(2));  // and so are the spares
  }
  ~BenchmarkLog() { ARKA_CHECK(log->Close().ok()); }

  void Append() { ARKA_CHECK(log->Append(record).ok()); }
  void HoldBack() {
    if (log->pending_bytes() < kMaxPendingBytes) return;
    ARKA_CHECK(log->Release(log->disk_lsn()).ok());
    while (log->pending_bytes() > kMaxPendingBytes / 2) std::this_thread::yield();
  }

  std::unique_ptr<Log> log;
  CountedGroups groups;
  WriteRecord record;

 private:
  TempDirectory directory_;
  PosixFs fs_;
  SystemClock clock_;
};

void ReportWaits(benchmark::State& state, std::vector<double> waits) {
  std::sort(waits.begin(), waits.end());
  state.counters["p50_us"] = waits[waits.size() / 2];
  state.counters["p99_us"] = waits[waits.size() * 99 / 100];
}

// Append alone: what a client's write costs its thread. The log thread runs beside it.
void Append(benchmark::State& state) {
  BenchmarkLog bench(state.range(0));
  int64_t appended = 0;
  for (auto _ : state) {
    bench.Append();
    if (++appended % 1024 == 0 || state.range(0) > 4096) {
      state.PauseTiming();
      bench.HoldBack();
      state.ResumeTiming();
    }
  }
  ARKA_CHECK(bench.log->Flush().ok());
}
BENCHMARK(Append)->Arg(100)->Iterations(1'000'000);

// Appends through to the disk, as fast as it takes them.
void AppendDurably(benchmark::State& state) {
  BenchmarkLog bench(state.range(0));
  const int64_t groups = bench.groups.count();
  for (auto _ : state) {
    bench.Append();
    bench.HoldBack();
  }
  ARKA_CHECK(bench.log->Flush().ok());
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.counters["groups"] = benchmark::Counter(static_cast<double>(bench.groups.count() - groups),
                                                benchmark::Counter::kIsRate);
}
BENCHMARK(AppendDurably)->Arg(100)->Iterations(2'000'000)->UseRealTime();
BENCHMARK(AppendDurably)->Arg(1 << 20)->Iterations(6'000)->UseRealTime();

// One write at a time, waiting for the disk.
void AppendAndWait(benchmark::State& state) {
  BenchmarkLog bench(state.range(0));
  std::vector<double> waits;
  waits.reserve(static_cast<size_t>(state.max_iterations));
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    bench.Append();
    ARKA_CHECK(bench.log->Flush().ok());
    const std::chrono::duration<double, std::micro> wait = std::chrono::steady_clock::now() - start;
    waits.push_back(wait.count());
  }
  ReportWaits(state, std::move(waits));
}
BENCHMARK(AppendAndWait)->Arg(100)->Iterations(5'000)->UseRealTime();

// 10,000 writes a second into a new log, whose spare segments are being written meanwhile.
void AppendSteadily(benchmark::State& state) {
  constexpr auto kPeriod = std::chrono::microseconds(1'000);
  constexpr int kEachPeriod = 10;
  BenchmarkLog bench(state.range(0), /*settled=*/false);
  std::vector<double> waits;
  auto next = std::chrono::steady_clock::now();
  for (auto _ : state) {
    const auto start = next;
    std::this_thread::sleep_until(start);
    for (int i = 0; i < kEachPeriod; ++i) bench.Append();
    ARKA_CHECK(bench.log->Flush().ok());
    const std::chrono::duration<double, std::micro> wait = std::chrono::steady_clock::now() - start;
    waits.push_back(wait.count());
    next = start + kPeriod;  // late or not: the writes that came meanwhile waited
  }
  ReportWaits(state, std::move(waits));
}
BENCHMARK(AppendSteadily)->Arg(1000)->Iterations(5'000)->UseRealTime();

// The bare disk: one write and one fdatasync into a file written before.
void BareSync(benchmark::State& state) {
  const TempDirectory directory;
  PosixFs fs;
  const std::unique_ptr<File> file =
      fs.Open(directory.path() + "/bare", OpenMode::kCreateNew).ValueOrDie();
  const std::vector<std::byte> zeros(static_cast<size_t>(64 << 20));
  const std::array<ByteSpan, 1> all = {zeros};
  ARKA_CHECK(file->Write(0, all).ok() && file->Sync().ok());
  const std::array<ByteSpan, 1> parts = {
      ByteSpan(zeros).first(static_cast<size_t>(state.range(0)))};
  int64_t offset = 0;
  for (auto _ : state) {
    ARKA_CHECK(file->Write(offset, parts).ok() && file->Sync().ok());
    offset = (offset + state.range(0)) % (64 << 20);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BareSync)->Arg(4 << 10)->Iterations(3'000)->UseRealTime();
BENCHMARK(BareSync)->Arg(64 << 10)->Iterations(3'000)->UseRealTime();
BENCHMARK(BareSync)->Arg(1 << 20)->Iterations(1'000)->UseRealTime();
BENCHMARK(BareSync)->Arg(16 << 20)->Iterations(100)->UseRealTime();

void Checksum(benchmark::State& state) {
  const std::vector<std::byte> bytes(static_cast<size_t>(state.range(0)), std::byte{1});
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Checksum)->Arg(384)->Arg(1 << 20);

}  // namespace
}  // namespace arka::wal

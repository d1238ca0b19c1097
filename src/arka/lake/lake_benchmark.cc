// What the lake costs on one core: writing data files, merging one-row batches, converting.
// The realistic row: ten columns, about 100 bytes, as an event or order table has them.
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <benchmark/benchmark.h>

#include "arka/lake/chunk_merger.h"
#include "arka/lake/data_file_writer.h"
#include "arka/lake/table_schema.h"

namespace arka::lake {
namespace {

using arrow::TimeUnit;

/// Takes what it is given and forgets it.
class NullStore final : public ObjectStore {
 public:
  Status Put(std::string_view, std::span<const std::shared_ptr<arrow::Buffer>> parts) override {
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view, int64_t, int64_t) override {
    return Error(ErrorCode::kNotFound, "nothing is kept");
  }
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view) override {
    return Error(ErrorCode::kNotFound, "nothing is kept");
  }
  Result<ObjectInfo> Head(std::string_view) override {
    return Error(ErrorCode::kNotFound, "nothing is kept");
  }
  Result<std::vector<ObjectInfo>> List(std::string_view) override {
    return std::vector<ObjectInfo>();
  }
  Status Delete(std::string_view) override { return Status::OK(); }
  std::string Uri(std::string_view key) const override { return std::string(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return std::string(uri); }
};

/// A small, quick generator: the benchmark is not about randomness.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }

 private:
  uint64_t state_;
};

std::shared_ptr<arrow::RecordBatch> Orders(int64_t first, int64_t count) {
  static constexpr const char* kCities[] = {"Amsterdam", "Berlin",    "Copenhagen", "Dublin",
                                            "Edinburgh", "Frankfurt", "Gdansk",     "Helsinki"};
  static constexpr const char* kStates[] = {"new", "paid", "shipped", "returned"};
  Dice dice(static_cast<uint64_t>(first) + 1);
  arrow::Int64Builder order_id, customer_id;
  arrow::TimestampBuilder ordered_at(arrow::timestamp(TimeUnit::MICRO, "UTC"),
                                     arrow::default_memory_pool());
  arrow::StringBuilder city, status, product, note;
  arrow::Int32Builder quantity;
  arrow::DoubleBuilder price, discount;
  const auto add = [](Status status) { (void)status; };
  for (int64_t i = first; i < first + count; ++i) {
    add(order_id.Append(i));
    add(customer_id.Append(static_cast<int64_t>(dice.Next() % 1'000'000)));
    add(ordered_at.Append(1'700'000'000'000'000 + i * 1'000 + dice.Next() % 1'000));
    add(city.Append(kCities[dice.Next() % 8]));
    add(status.Append(kStates[dice.Next() % 4]));
    add(product.Append("SKU-" + std::to_string(dice.Next() % 50'000)));
    add(quantity.Append(1 + static_cast<int32_t>(dice.Next() % 9)));
    add(price.Append(static_cast<double>(dice.Next() % 100'000) / 100));
    add(i % 3 == 0 ? discount.Append(0.05) : discount.AppendNull());
    add(note.Append("ref " + std::to_string(dice.Next()) + std::to_string(dice.Next())));
  }
  const auto schema = arrow::schema(
      {arrow::field("order_id", arrow::int64()), arrow::field("customer_id", arrow::int64()),
       arrow::field("ordered_at", ordered_at.type()), arrow::field("city", arrow::utf8()),
       arrow::field("status", arrow::utf8()), arrow::field("product", arrow::utf8()),
       arrow::field("quantity", arrow::int32()), arrow::field("price", arrow::float64()),
       arrow::field("discount", arrow::float64()), arrow::field("note", arrow::utf8())});
  return arrow::RecordBatch::Make(
      schema, count,
      {*order_id.Finish(), *customer_id.Finish(), *ordered_at.Finish(), *city.Finish(),
       *status.Finish(), *product.Finish(), *quantity.Finish(), *price.Finish(), *discount.Finish(),
       *note.Finish()});
}

/// range(0): rows a batch; range(1): ZSTD level.
void WriteFile(benchmark::State& state) {
  constexpr int64_t kRows = 1'000'000;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t bytes = 0;
  for (int64_t first = 0; first < kRows; first += state.range(0)) {
    batches.push_back(Orders(first, state.range(0)));
    bytes += ReferencedBytes(*batches.back());
  }
  const auto schema = TableSchema::FromArrow(*batches[0]->schema()).ValueOrDie();
  NullStore store;
  DataFileOptions options;
  options.zstd_level = static_cast<int>(state.range(1));
  int64_t file_bytes = 0;
  for (auto _ : state) {
    const auto file = WriteDataFile(store, "file", *schema, batches, options);
    if (!file.ok()) state.SkipWithError(file.status().message().c_str());
    file_bytes = file->file_size_in_bytes;
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["row_bytes"] = static_cast<double>(bytes) / kRows;
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(file_bytes);
}
BENCHMARK(WriteFile)
    ->Args({10'000, 1})
    ->Args({10'000, 3})
    ->Args({1'000, 1})
    ->Unit(benchmark::kMillisecond);

/// The rows of `batch` as the server has them: a batch of one row each, in a message of its own.
std::vector<std::shared_ptr<arrow::RecordBatch>> OneRowMessages(const arrow::RecordBatch& batch) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> ones;
  const auto options = arrow::ipc::IpcWriteOptions::Defaults();
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const auto message = arrow::ipc::SerializeRecordBatch(*batch.Slice(i, 1), options).ValueOrDie();
    arrow::io::BufferReader reader(message);
    ones.push_back(arrow::ipc::ReadRecordBatch(batch.schema(), nullptr,
                                               arrow::ipc::IpcReadOptions::Defaults(), &reader)
                       .ValueOrDie());
  }
  return ones;
}

/// range(0): columns, 3 or 10. More messages than the caches hold, as a server's come.
void MergeOneRowBatches(benchmark::State& state) {
  constexpr int64_t kRows = 50'000;
  auto rows = Orders(0, kRows);
  if (state.range(0) == 3) rows = rows->SelectColumns({0, 3, 7}).ValueOrDie();
  const auto ones = OneRowMessages(*rows);
  for (auto _ : state) {
    ChunkMerger merger(rows->schema());
    for (const auto& one : ones) {
      if (!merger.Add(one).ok()) state.SkipWithError("add");
    }
    benchmark::DoNotOptimize(merger.Take());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(MergeOneRowBatches)->Arg(3)->Arg(10)->Unit(benchmark::kMillisecond);

/// range(0): rows a batch. Nothing to convert.
void ToStoragePlain(benchmark::State& state) {
  const auto batch = Orders(0, state.range(0));
  const auto schema = TableSchema::FromArrow(*batch->schema()).ValueOrDie();
  for (auto _ : state) benchmark::DoNotOptimize(schema->ToStorage(batch));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ToStoragePlain)->Arg(1)->Arg(10'000);

/// The whole schema in forms that Iceberg does not have.
void ToStorageConverting(benchmark::State& state) {
  const auto plain = Orders(0, state.range(0));
  arrow::ArrayVector columns = plain->columns();
  columns[2] = columns[2]->View(arrow::timestamp(TimeUnit::NANO)).ValueOrDie();
  arrow::FieldVector fields = plain->schema()->fields();
  fields[2] = fields[2]->WithType(columns[2]->type());
  const auto batch = arrow::RecordBatch::Make(arrow::schema(fields), plain->num_rows(), columns);
  const auto schema = TableSchema::FromArrow(*batch->schema()).ValueOrDie();
  for (auto _ : state) benchmark::DoNotOptimize(schema->ToStorage(batch));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ToStorageConverting)->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace arka::lake

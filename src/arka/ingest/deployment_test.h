// A whole write path in memory, for tests: file system, object stores, catalog and clock are fakes
// under one fault plan, and outlive the engines that are started and killed on them.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include "arka/iceberg/manifest.h"
#include "arka/iceberg/manifest_list.h"
#include "arka/iceberg_testing/faulty_catalog.h"
#include "arka/iceberg_testing/memory_catalog.h"
#include "arka/ingest/engine.h"
#include "arka/testing/fault_plan.h"
#include "arka/testing/faulty_fs.h"
#include "arka/testing/faulty_object_store.h"
#include "arka/testing/matchers.h"
#include "arka/testing/memory_fs.h"
#include "arka/testing/memory_object_store.h"
#include "arka/testing/seeded_random.h"
#include "arka/testing/simulated_clock.h"

namespace arka::ingest {

inline const iceberg::TableIdentifier kOrders{"sales", "orders"};
inline const iceberg::TableIdentifier kUsers{"arka", "users"};

struct Deployment {
  explicit Deployment(uint64_t seed = 1) : random(seed) {}

  SimulatedClock clock;
  SeededRandom random;
  MemoryFs disk;
  MemoryObjectStore object_memory;
  MemoryObjectStore warehouse_memory;
  iceberg::MemoryCatalog catalog_memory{warehouse_memory, random, clock};

  FaultPlan disk_faults, object_faults, warehouse_faults, catalog_faults;
  FaultyFs fs{disk, disk_faults};
  FaultyObjectStore objects{object_memory, object_faults};
  FaultyObjectStore warehouse{warehouse_memory, warehouse_faults};
  iceberg::FaultyCatalog catalog{catalog_memory, catalog_faults};

  EngineOptions options = [] {
    EngineOptions made;
    made.version = "test";
    made.log.directory = "data/log";
    made.log.segment_bytes = 256 << 10;
    made.log.spare_segments = 1;
    made.commit_interval = std::chrono::seconds(1);
    return made;
  }();

  Result<std::unique_ptr<Engine>> MakeEngine() {
    ARROW_RETURN_NOT_OK(fs.CreateDirs("data"));
    return Engine::Make({fs, clock, random, objects, warehouse, catalog}, options);
  }

  std::unique_ptr<Engine> StartEngine() {
    auto engine = MakeEngine();
    EXPECT_THAT(engine, IsOk());
    (*engine)->Start();
    return std::move(*engine);
  }

  /// Lets simulated time pass until `done`; false where that has not come in half a minute of real
  /// time. Time moves only while at least `loops` of the engine's loops wait: the log's (until it
  /// fails), the uploader's and the committer's.
  [[nodiscard]] bool PassTimeUntil(const std::function<bool()>& done, size_t loops = 2) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      clock.AwaitWaiters(loops);
      clock.AdvanceToNextDeadline();
      std::this_thread::yield();
    }
    return true;
  }

  /// The `id`s that the table's current snapshot holds, and how often.
  std::map<int64_t, int> ReadIds(const iceberg::TableIdentifier& identifier) {
    std::map<int64_t, int> ids;
    const auto table = catalog_memory.LoadTable(identifier);
    if (!table.ok() || table->metadata->current_snapshot() == nullptr) return ids;
    const auto text = [&](const std::string& uri) {
      return warehouse_memory.Get(*warehouse_memory.KeyOf(uri)).ValueOrDie();
    };
    const auto list = text(table->metadata->current_snapshot()->manifest_list);
    const auto manifests = iceberg::ReadManifestList(std::string_view(*list)).ValueOrDie();
    for (const auto& manifest : manifests) {
      const auto file = text(manifest.manifest_path);
      const auto entries = iceberg::ReadManifest(std::string_view(*file), manifest).ValueOrDie();
      for (const auto& entry : entries) {
        auto input = std::make_shared<arrow::io::BufferReader>(text(entry.data_file.file_path));
        auto reader = parquet::arrow::OpenFile(input, arrow::default_memory_pool()).ValueOrDie();
        const auto rows = reader->ReadTable().ValueOrDie();
        for (const auto& chunk : rows->GetColumnByName("id")->chunks()) {
          const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
          for (int64_t i = 0; i < values.length(); ++i) ++ids[values.Value(i)];
        }
      }
    }
    return ids;
  }
};

/// The messages of a stream whose batches have one column, `id`.
struct IdStream {
  std::shared_ptr<arrow::Schema> schema =
      arrow::schema({arrow::field("id", arrow::int64(), /*nullable=*/false)});
  std::shared_ptr<const OpenedTable> target;
  std::unique_ptr<StreamDecoder> decoder;

  static std::shared_ptr<arrow::Buffer> SchemaHeader(const arrow::Schema& schema) {
    arrow::ipc::IpcPayload payload;
    const arrow::ipc::DictionaryFieldMapper mapper(schema);
    EXPECT_THAT(arrow::ipc::GetSchemaPayload(schema, arrow::ipc::IpcWriteOptions::Defaults(),
                                             mapper, &payload),
                IsOk());
    return payload.metadata;
  }

  Status Open(Engine& engine, const iceberg::TableIdentifier& identifier) {
    std::promise<Result<std::shared_ptr<const OpenedTable>>> opened;
    engine.OpenTable(identifier, schema, [&](auto result) { opened.set_value(result); });
    ARROW_ASSIGN_OR_RAISE(target, opened.get_future().get());
    ARROW_ASSIGN_OR_RAISE(decoder, StreamDecoder::Make(SchemaHeader(*schema), target->schema, {}));
    return Status::OK();
  }

  /// A write whose rows are first, first + 1, …
  Result<DecodedWrite> Decode(int64_t first, int64_t rows = 1) {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows; ++i) ARROW_RETURN_NOT_OK(builder.Append(first + i));
    ARROW_ASSIGN_OR_RAISE(auto ids, builder.Finish());
    return DecodeBatch(arrow::RecordBatch::Make(schema, rows, {ids}));
  }

  Result<DecodedWrite> DecodeBatch(const std::shared_ptr<arrow::RecordBatch>& batch) {
    ARROW_ASSIGN_OR_RAISE(auto message, arrow::ipc::SerializeRecordBatch(
                                            *batch, arrow::ipc::IpcWriteOptions::Defaults()));
    arrow::io::BufferReader reader(message);
    ARROW_ASSIGN_OR_RAISE(auto opened, arrow::ipc::ReadMessage(&reader));
    ARROW_ASSIGN_OR_RAISE(auto decoded, decoder->Decode(opened->metadata(), opened->body()));
    return std::move(*decoded);
  }

  Result<Lsn> Write(Engine& engine, int64_t first, int64_t rows = 1, uint64_t ticket = 0) {
    ARROW_ASSIGN_OR_RAISE(auto write, Decode(first, rows));
    write.ticket = ticket;
    return engine.Write(*target, write);
  }

  /// One row, the producer's `seq`.
  Result<Admission> WriteOnce(Engine& engine, Producer& producer, int64_t seq, int64_t id,
                              int64_t epoch = 0) {
    ARROW_ASSIGN_OR_RAISE(auto write, Decode(id));
    return WriteOnce(engine, producer, seq, write, epoch);
  }
  Result<Admission> WriteOnce(Engine& engine, Producer& producer, int64_t seq, DecodedWrite& write,
                              int64_t epoch = 0) {
    return engine.Write(*target, write, producer, seq, epoch);
  }
};

inline bool AllCommitted(const Engine& engine) {
  const auto watermarks = engine.progress().watermarks;
  return watermarks.committed_lsn == watermarks.last_lsn;
}

/// Ids 0..count-1, each once.
inline std::map<int64_t, int> EachOnce(int64_t count) {
  std::map<int64_t, int> ids;
  for (int64_t i = 0; i < count; ++i) ids[i] = 1;
  return ids;
}

}  // namespace arka::ingest

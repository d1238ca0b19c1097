#include "arka/query/fresh_scan.h"

#include "arka/lake/column_projection.h"

namespace arka::query {
namespace {

constexpr int64_t kMergedBytes = 4 << 20;

}  // namespace

// Pieces of the log, until their rows are enough for a batch.
Result<arrow::RecordBatchVector> FreshScan::Next() {
  const auto add = [&](ingest::Table&, ingest::BufferedWrite write) -> Status {
    ARROW_ASSIGN_OR_RAISE(
        auto rows,
        lake::ProjectBatch(*write.batch, *write.schema->storage_schema(), *snapshot_->schema));
    return merger_.Add(std::move(rows));
  };
  Lsn read_through = read_through_;
  while (read_through < through_ && merger_.size_bytes() < kMergedBytes) {
    ARROW_ASSIGN_OR_RAISE(const Lsn read, source_.engine.ReadLog(*snapshot_->pin, snapshot_->uuid,
                                                                 read_through, through_, add));
    // Where nothing more is there, only LSNs that a crash took were left.
    read_through = read == read_through ? through_ : read;
  }
  ARROW_ASSIGN_OR_RAISE(auto batches, merger_.Take());
  read_through_ = read_through;
  return batches;
}

}  // namespace arka::query

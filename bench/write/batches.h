#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/result.h>

namespace arka::bench {

// The record batches that a run sends, made before the clock starts and sent in turn.
//
// "narrow" is three 8-byte columns, as a sensor might send. "realistic" is an order event of ten
// columns and about 100 bytes: ids, timestamps, floats, short strings, categories, some nulls; its
// values are drawn from skewed distributions with a fixed seed, so that it compresses like data
// and not like zeros. `distinct` batches follow each other, each with rows of its own.
struct Batches {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  int64_t bytes_per_batch = 0;  // of Arrow buffers, mean

  const arrow::RecordBatch& at(int64_t write) const {
    return *batches[static_cast<size_t>(write) % batches.size()];
  }
};

arrow::Result<Batches> MakeBatches(const std::string& kind, int64_t rows, int distinct);

}  // namespace arka::bench

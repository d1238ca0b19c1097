// A result whose rows are there: one batch, in memory.
#pragma once

#include <memory>
#include <utility>

#include <arrow/record_batch.h>

#include "arka/query/held_result.h"

namespace arka::query {

/// Of one part.
class BatchResult : public HeldResult {
 public:
  explicit BatchResult(std::shared_ptr<arrow::RecordBatch> batch) : batch_(std::move(batch)) {}

  Result<std::unique_ptr<ResultReader>> Read(size_t part) override;

 private:
  const std::shared_ptr<arrow::RecordBatch> batch_;
};

}  // namespace arka::query

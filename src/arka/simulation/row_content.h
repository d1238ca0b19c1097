// What a simulated write holds: rows whose every value follows from their id, so that a reader
// knows from the rows alone whose they are and whether they came through unharmed. Pure.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "arka/base/error.h"

namespace arka::simulation {

inline constexpr int64_t kMaxRows = 16;

/// Ids of a write's rows are consecutive, from here on.
inline int64_t FirstId(int64_t write) { return write * kMaxRows; }
inline int64_t WriteOf(int64_t id) { return id / kMaxRows; }

/// id: int64 not null; text: utf8, null in some rows, long in others.
std::shared_ptr<arrow::Schema> RowSchema();

std::shared_ptr<arrow::RecordBatch> RowsFrom(int64_t first_id, int64_t rows);

/// The ids of `table`'s rows; kCorruption where a value is not what its id wants.
Result<std::vector<int64_t>> CheckedIds(const arrow::Table& table);

}  // namespace arka::simulation

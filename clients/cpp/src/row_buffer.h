// Rows on their way into a batch: a builder for every column, and what it takes. No threads.
#pragma once

#include "arka_client/appender.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <arrow/builder.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

namespace arka::client {

/// A column's builder. BytesOf() is asked first, so that a row is taken whole or not at all.
class Column {
 public:
  Column(std::shared_ptr<arrow::Field> field, std::unique_ptr<arrow::ArrayBuilder> builder);
  virtual ~Column() = default;

  const arrow::Field& field() const { return *field_; }
  /// About how many bytes the value takes; -1 where it does not fit.
  int64_t BytesOf(const Cell& cell) const;
  /// Of a cell that fits.
  arrow::Status Put(const Cell& cell);
  arrow::Result<std::shared_ptr<arrow::Array>> Finish() { return builder_->Finish(); }

 protected:
  /// The same, of cells that are neither null nor a scalar.
  virtual int64_t BytesOfValue(const Cell::Value& value) const { return -1; }
  virtual arrow::Status PutValue(const Cell::Value& value) { return arrow::Status::OK(); }

  const std::shared_ptr<arrow::Field> field_;
  const std::unique_ptr<arrow::ArrayBuilder> builder_;
};

class RowBuffer {
 public:
  /// INVALID_ARGUMENT for columns whose rows cannot be gathered.
  static arrow::Result<std::unique_ptr<RowBuffer>> Make(
      std::shared_ptr<arrow::Schema> schema,
      arrow::MemoryPool* pool = arrow::default_memory_pool());

  /// INVALID_ARGUMENT for a row that does not fit, RESOURCE_EXHAUSTED where there is no memory for
  /// it; it is not taken then.
  arrow::Status Add(std::span<const Cell> row);
  arrow::Status AddNamed(std::span<const std::pair<std::string_view, Cell>> row);

  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  /// There was no memory for a row: nothing is taken before the next Take().
  bool torn() const { return torn_; }
  /// All rows as one batch; the buffer is empty then.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Take();

 private:
  explicit RowBuffer(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<Column>> columns_;
  std::unordered_map<std::string_view, size_t> places_;  // of columns, by name
  std::vector<Cell> row_;                                // of AddNamed
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  bool torn_ = false;  // columns may have a value more than there are rows
};

}  // namespace arka::client

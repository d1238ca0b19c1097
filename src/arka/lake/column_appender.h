// A growing column that values are copied onto. A part of RowAppender, which has the contract: what
// may fail (Reserve, Shrink) is apart from what changes rows (Append, Finish), so that a batch is
// appended to all columns or to none. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/array/data.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>

#include "arka/base/error.h"

namespace arka::lake {

class ColumnAppender {
 public:
  /// Fixed widths, strings and binaries, and extensions of these; nothing with children.
  static bool Takes(const arrow::DataType& type);

  explicit ColumnAppender(std::shared_ptr<arrow::DataType> type);

  /// Makes room for `data`, which has this column's type and at least one row. Appends nothing.
  Status Reserve(const arrow::ArrayData& data);
  /// After Reserve(data).
  void Append(const arrow::ArrayData& data);
  /// Gives room that is not used back. Before Finish.
  Status Shrink();
  /// After Shrink: everything appended. The column is empty then.
  std::shared_ptr<arrow::ArrayData> Finish();

 private:
  enum class Layout { kBits, kBytes, kOffsets32, kOffsets64 };

  static Layout LayoutOf(const arrow::DataType& type);
  int64_t offset_bytes() const;

  const std::shared_ptr<arrow::DataType> type_;
  const Layout layout_;
  const int64_t width_bytes_;  // of a value; kBytes only
  int64_t rows_ = 0;
  arrow::BufferBuilder values_;
  arrow::BufferBuilder offsets_;           // where the values start, without the final one
  arrow::TypedBufferBuilder<bool> bits_;   // the values of kBits
  arrow::TypedBufferBuilder<bool> valid_;  // empty until a null may come
};

}  // namespace arka::lake

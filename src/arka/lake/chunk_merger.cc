#include "arka/lake/chunk_merger.h"

#include <utility>

#include <arrow/array/concatenate.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

namespace arka::lake {
namespace {

/// A large batch passes uncopied unless it keeps more than this many times its size alive.
constexpr int64_t kMaxPinRatio = 2;
constexpr size_t kMaxMediumBatches = 64;

template <typename Offset>
std::pair<int64_t, int64_t> ElementRange(const arrow::ArrayData& data, int64_t offset,
                                         int64_t length) {
  const Offset* offsets = data.GetValues<Offset>(1, offset);
  return {offsets[0], offsets[length] - offsets[0]};
}

/// Bytes of `length` entries of `data`, from its entry `offset` on (counted in the buffers).
int64_t ReferencedBytes(const arrow::ArrayData& data, const arrow::DataType& type, int64_t offset,
                        int64_t length) {
  if (length == 0) return 0;
  const int64_t validity =
      data.buffers.empty() || !data.buffers[0] ? 0 : arrow::bit_util::BytesForBits(length);
  const auto child = [&](size_t i, int64_t first, int64_t count) {
    const arrow::ArrayData& values = *data.child_data[i];
    return ReferencedBytes(values, *values.type, values.offset + first, count);
  };
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return validity + (length + 1) * sizeof(int32_t) +
             ElementRange<int32_t>(data, offset, length).second;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return validity + (length + 1) * sizeof(int64_t) +
             ElementRange<int64_t>(data, offset, length).second;
    case arrow::Type::LIST:
    case arrow::Type::MAP: {
      const auto [first, count] = ElementRange<int32_t>(data, offset, length);
      return validity + (length + 1) * sizeof(int32_t) + child(0, first, count);
    }
    case arrow::Type::STRUCT: {
      int64_t bytes = validity;
      for (size_t i = 0; i < data.child_data.size(); ++i) bytes += child(i, offset, length);
      return bytes;
    }
    case arrow::Type::EXTENSION:
      return ReferencedBytes(data, *static_cast<const arrow::ExtensionType&>(type).storage_type(),
                             offset, length);
    default:
      break;
  }
  if (arrow::is_fixed_width(type.id())) {
    return validity + arrow::bit_util::BytesForBits(type.bit_width() * length);
  }
  int64_t bytes = 0;  // a layout that storage does not have: all of it
  for (const auto& buffer : data.buffers) bytes += buffer ? buffer->size() : 0;
  for (size_t i = 0; i < data.child_data.size(); ++i) {
    bytes += child(i, 0, data.child_data[i]->length);
  }
  return bytes;
}

const arrow::Buffer& RootOf(const arrow::Buffer& buffer) {
  const arrow::Buffer* root = &buffer;
  while (root->parent()) root = root->parent().get();
  return *root;
}

/// Visits the whole buffers behind columns; the same one may come again. Most often all buffers lie
/// in one message, so that its address range tells, and only the first walks up to it.
class RootWalk {
 public:
  template <typename Visit>
  void Columns(const arrow::ArrayDataVector& columns, const Visit& visit) {
    for (const auto& column : columns) {
      for (const auto& buffer : column->buffers) {
        if (!buffer || IsInLast(*buffer)) continue;
        const arrow::Buffer& root = RootOf(*buffer);
        first_ = root.address();
        end_ = first_ + static_cast<uintptr_t>(root.capacity());
        visit(root);
      }
      Columns(column->child_data, visit);
    }
  }

 private:
  bool IsInLast(const arrow::Buffer& buffer) const {
    return buffer.address() >= first_ && buffer.address() < end_;
  }

  uintptr_t first_ = 0;  // of the root visited last
  uintptr_t end_ = 0;
};

int64_t PinnedBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  std::unordered_set<const void*> seen;
  RootWalk().Columns(batch.column_data(), [&](const arrow::Buffer& root) {
    if (seen.insert(&root).second) bytes += root.capacity();
  });
  return bytes;
}

}  // namespace

int64_t ReferencedBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  for (const auto& data : batch.column_data()) {
    bytes += ReferencedBytes(*data, *data->type, data->offset, data->length);
  }
  return bytes;
}

ChunkMerger::ChunkMerger(std::shared_ptr<arrow::Schema> schema, ChunkMergerOptions options)
    : schema_(std::move(schema)), options_(options) {
  if (RowAppender::Takes(*schema_)) appended_.emplace(schema_);
}

Status ChunkMerger::Add(std::shared_ptr<arrow::RecordBatch> batch) {
  if (batch->num_rows() == 0) return Status::OK();
  const int64_t rows = batch->num_rows();
  const int64_t bytes = ReferencedBytes(*batch);
  if (bytes >= options_.large_batch_bytes && PinnedBytes(*batch) <= kMaxPinRatio * bytes) {
    ARROW_RETURN_NOT_OK(MergeAll());
    chunks_.push_back(std::move(batch));
  } else if (appended_) {
    if (appended_bytes_ + bytes > options_.chunk_bytes) ARROW_RETURN_NOT_OK(FinishAppended());
    ARROW_RETURN_NOT_OK(appended_->Append(*batch));
    appended_bytes_ += bytes;
  } else {
    ARROW_RETURN_NOT_OK(AddSmall(std::move(batch), bytes));
  }
  num_rows_ += rows;
  size_bytes_ += bytes;
  return Status::OK();
}

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ChunkMerger::Take() {
  ARROW_RETURN_NOT_OK(MergeAll());
  num_rows_ = 0;
  size_bytes_ = 0;
  return std::exchange(chunks_, {});
}

Status ChunkMerger::AddSmall(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes) {
  const bool full = static_cast<int>(small_.batches.size()) >= options_.max_pending_batches ||
                    small_.bytes + bytes > options_.chunk_bytes ||
                    pinned_bytes_ >= options_.max_pinned_bytes;
  if (full) ARROW_RETURN_NOT_OK(MergeSmall());
  RootWalk().Columns(batch->column_data(), [&](const arrow::Buffer& root) {
    if (pinned_.insert(&root).second) pinned_bytes_ += root.capacity();
  });
  small_.batches.push_back(std::move(batch));
  small_.bytes += bytes;
  return Status::OK();
}

Status ChunkMerger::MergeAll() {
  ARROW_RETURN_NOT_OK(FinishAppended());
  ARROW_RETURN_NOT_OK(MergeSmall());
  return MergeMedium();
}

Status ChunkMerger::FinishAppended() {
  if (!appended_ || appended_->num_rows() == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto chunk, appended_->Finish());
  chunks_.push_back(std::move(chunk));
  appended_bytes_ = 0;
  return Status::OK();
}

Status ChunkMerger::MergeSmall() {
  if (small_.batches.empty()) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto merged, Concatenated(small_));
  const bool room = medium_.batches.size() < kMaxMediumBatches &&
                    medium_.bytes + small_.bytes <= options_.chunk_bytes;
  if (!room) ARROW_RETURN_NOT_OK(MergeMedium());
  medium_.batches.push_back(std::move(merged));
  medium_.bytes += small_.bytes;
  small_ = {};
  pinned_.clear();
  pinned_bytes_ = 0;
  return Status::OK();
}

Status ChunkMerger::MergeMedium() {
  if (medium_.batches.empty()) return Status::OK();
  if (medium_.batches.size() == 1) {
    chunks_.push_back(std::move(medium_.batches.front()));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto merged, Concatenated(medium_));
    chunks_.push_back(std::move(merged));
  }
  medium_ = {};
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> ChunkMerger::Concatenated(const Run& run) const {
  int64_t rows = 0;
  for (const auto& batch : run.batches) rows += batch->num_rows();
  arrow::ArrayVector columns, pieces;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    pieces.clear();
    for (const auto& batch : run.batches) pieces.push_back(batch->column(i));
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::Concatenate(pieces));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
}

}  // namespace arka::lake

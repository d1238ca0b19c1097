#include "arka/lake/column_appender.h"

#include <utility>

#include <arrow/extension_type.h>
#include <arrow/type_traits.h>

#include "arka/base/check.h"

namespace arka::lake {
namespace {

const arrow::DataType& StorageOf(const arrow::DataType& type) {
  if (type.id() != arrow::Type::EXTENSION) return type;
  return *static_cast<const arrow::ExtensionType&>(type).storage_type();
}

/// TypedBufferBuilder<bool>::Reserve grows at every call; this one where it must.
Status ReserveBits(arrow::TypedBufferBuilder<bool>& bits, int64_t count) {
  return bits.length() + count <= bits.capacity() ? Status::OK() : bits.Reserve(count);
}

template <typename Offset>
int64_t VariableBytes(const arrow::ArrayData& data) {
  const Offset* offsets = data.GetValues<Offset>(1);
  return offsets[data.length] - offsets[0];
}

template <typename Offset>
void AppendVariable(const arrow::ArrayData& data, arrow::BufferBuilder& offsets,
                    arrow::BufferBuilder& values) {
  const Offset* theirs = data.GetValues<Offset>(1);
  const int64_t count = theirs[data.length] - theirs[0];
  const auto shift = static_cast<Offset>(values.length()) - theirs[0];
  auto* ours = reinterpret_cast<Offset*>(offsets.mutable_data() + offsets.length());
  for (int64_t i = 0; i < data.length; ++i) ours[i] = static_cast<Offset>(theirs[i] + shift);
  offsets.UnsafeAdvance(data.length * static_cast<int64_t>(sizeof(Offset)));
  if (count > 0) values.UnsafeAppend(data.buffers[2]->data() + theirs[0], count);
}

/// Of a builder whose buffer is there and large enough already, so that nothing can fail.
template <typename Builder>
std::shared_ptr<arrow::Buffer> Finished(Builder& builder) {
  auto buffer = builder.Finish(/*shrink_to_fit=*/false);
  ARKA_CHECK(buffer.ok());
  return std::move(buffer).ValueUnsafe();
}

}  // namespace

bool ColumnAppender::Takes(const arrow::DataType& any_type) {
  const arrow::DataType& type = StorageOf(any_type);
  return arrow::is_base_binary_like(type.id()) ||
         (arrow::is_fixed_width(type.id()) && type.id() != arrow::Type::DICTIONARY);
}

ColumnAppender::ColumnAppender(std::shared_ptr<arrow::DataType> type)
    : type_(std::move(type)),
      layout_(LayoutOf(StorageOf(*type_))),
      width_bytes_(layout_ == Layout::kBytes ? StorageOf(*type_).byte_width() : 0) {}

ColumnAppender::Layout ColumnAppender::LayoutOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::BOOL) return Layout::kBits;
  if (!arrow::is_base_binary_like(type.id())) return Layout::kBytes;
  return arrow::is_large_binary_like(type.id()) ? Layout::kOffsets64 : Layout::kOffsets32;
}

int64_t ColumnAppender::offset_bytes() const {
  return layout_ == Layout::kOffsets64 ? sizeof(int64_t) : sizeof(int32_t);
}

Status ColumnAppender::Reserve(const arrow::ArrayData& data) {
  if (valid_.length() > 0 || data.MayHaveNulls()) {
    ARROW_RETURN_NOT_OK(ReserveBits(valid_, rows_ + data.length - valid_.length()));
  }
  switch (layout_) {
    case Layout::kBits:
      return ReserveBits(bits_, data.length);
    case Layout::kBytes:
      return values_.Reserve(data.length * width_bytes_);
    case Layout::kOffsets32:
      ARROW_RETURN_NOT_OK(values_.Reserve(VariableBytes<int32_t>(data)));
      break;
    case Layout::kOffsets64:
      ARROW_RETURN_NOT_OK(values_.Reserve(VariableBytes<int64_t>(data)));
      break;
  }
  return offsets_.Reserve((data.length + 1) * offset_bytes());
}

void ColumnAppender::Append(const arrow::ArrayData& data) {
  const bool may_have_nulls = data.MayHaveNulls();
  if (valid_.length() > 0 || may_have_nulls) {
    valid_.UnsafeAppend(rows_ - valid_.length(), true);  // the rows before the first null
    if (may_have_nulls) {
      valid_.UnsafeAppend(data.buffers[0]->data(), data.offset, data.length);
    } else {
      valid_.UnsafeAppend(data.length, true);
    }
  }
  switch (layout_) {
    case Layout::kBits:
      bits_.UnsafeAppend(data.buffers[1]->data(), data.offset, data.length);
      break;
    case Layout::kBytes:
      values_.UnsafeAppend(data.buffers[1]->data() + data.offset * width_bytes_,
                           data.length * width_bytes_);
      break;
    case Layout::kOffsets32:
      AppendVariable<int32_t>(data, offsets_, values_);
      break;
    case Layout::kOffsets64:
      AppendVariable<int64_t>(data, offsets_, values_);
      break;
  }
  rows_ += data.length;
}

Status ColumnAppender::Shrink() {
  if (layout_ == Layout::kBits) return Status::OK();
  ARROW_RETURN_NOT_OK(values_.Resize(values_.length()));
  if (layout_ == Layout::kBytes) return Status::OK();
  return offsets_.Resize(offsets_.length() + offset_bytes());
}

std::shared_ptr<arrow::ArrayData> ColumnAppender::Finish() {
  const int64_t nulls = valid_.false_count();
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(1);
  if (valid_.length() > 0) buffers[0] = Finished(valid_);
  if (layout_ == Layout::kBits) {
    buffers.push_back(Finished(bits_));
  } else if (layout_ == Layout::kBytes) {
    buffers.push_back(Finished(values_));
  } else {
    const int64_t end = values_.length();  // the low half of it is the int32
    offsets_.UnsafeAppend(&end, offset_bytes());
    buffers.push_back(Finished(offsets_));
    buffers.push_back(Finished(values_));
  }
  return arrow::ArrayData::Make(type_, std::exchange(rows_, 0), std::move(buffers), nulls);
}

}  // namespace arka::lake

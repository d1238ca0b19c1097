#include "arka/lake/parts_output_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace arka::lake {

Status PartsOutputStream::Write(const void* data, int64_t nbytes) {
  if (closed_) return Error(ErrorCode::kInternal, "write to a finished stream");
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (nbytes > 0) {
    if (!block_) {
      ARROW_ASSIGN_OR_RAISE(auto block, arrow::AllocateResizableBuffer(block_bytes_));
      block_ = std::move(block);
      filled_ = 0;
    }
    const int64_t count = std::min(nbytes, block_bytes_ - filled_);
    std::memcpy(block_->mutable_data() + filled_, bytes, count);
    filled_ += count;
    size_ += count;
    bytes += count;
    nbytes -= count;
    if (filled_ == block_bytes_) SealBlock();
  }
  return Status::OK();
}

Status PartsOutputStream::Write(const std::shared_ptr<arrow::Buffer>& data) {
  return Write(data->data(), data->size());
}

Status PartsOutputStream::Close() {
  closed_ = true;
  return Status::OK();
}

Result<std::vector<std::shared_ptr<arrow::Buffer>>> PartsOutputStream::Finish() {
  ARROW_RETURN_NOT_OK(Close());
  if (block_) SealBlock();
  return std::move(parts_);
}

void PartsOutputStream::SealBlock() {
  parts_.push_back(arrow::SliceBuffer(std::move(block_), 0, filled_));
  block_ = nullptr;
}

}  // namespace arka::lake

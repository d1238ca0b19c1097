#include "arka/transport/request_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace arka::transport {
namespace {

constexpr int64_t kFirstBytes = 4096;

class ChargedBuffer final : public arrow::Buffer {
 public:
  ChargedBuffer(std::shared_ptr<arrow::Buffer> bytes, std::shared_ptr<MessageBudget> budget)
      : Buffer(bytes->data(), bytes->size()),
        bytes_(std::move(bytes)),
        budget_(std::move(budget)) {}
  ~ChargedBuffer() override { budget_->Release(static_cast<size_t>(size())); }

 private:
  const std::shared_ptr<arrow::Buffer> bytes_;
  const std::shared_ptr<MessageBudget> budget_;
};

}  // namespace

void RequestBody::Expect(size_t size_bytes) {
  if (size_bytes == 0 || buffer_ != nullptr) return;
  auto buffer = arrow::AllocateResizableBuffer(0);
  // Where that fails, Append finds it out.
  if (buffer.ok() && (*buffer)->Reserve(static_cast<int64_t>(size_bytes)).ok()) {
    buffer_ = std::move(*buffer);
  }
}

bool RequestBody::Append(const void* data, size_t size_bytes) {
  if (size_bytes == 0) return true;
  const auto size = static_cast<int64_t>(size_ + size_bytes);
  if (budget_->Charge(size_bytes)) {
    size_ += size_bytes;
    if (buffer_ == nullptr) Expect(kFirstBytes);
    if (buffer_ != nullptr &&
        (size <= buffer_->capacity() ||
         buffer_->Reserve(std::max(size, buffer_->capacity() * 2)).ok()) &&
        buffer_->Resize(size, /*shrink_to_fit=*/false).ok()) {
      std::memcpy(buffer_->mutable_data() + size - size_bytes, data, size_bytes);
      return true;
    }
  }
  Clear();
  return false;
}

void RequestBody::Clear() {
  budget_->Release(std::exchange(size_, 0));
  buffer_.reset();
}

std::shared_ptr<arrow::Buffer> RequestBody::Take() {
  if (size_ == 0) return nullptr;
  size_ = 0;
  return std::make_shared<ChargedBuffer>(std::move(buffer_), budget_);
}

}  // namespace arka::transport

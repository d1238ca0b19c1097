// The body of a plain HTTP request while it arrives: one buffer, paid for out of the memory for
// messages byte by byte, and paid back when the last holder lets go of it.
//
// Owned by the stream or session that receives it; one thread, but for the buffer that it becomes.
#pragma once

#include <cstddef>
#include <memory>

#include <arrow/buffer.h>

#include "arka/transport/message_budget.h"

namespace arka::transport {

class RequestBody {
 public:
  explicit RequestBody(std::shared_ptr<MessageBudget> budget) : budget_(std::move(budget)) {}
  ~RequestBody() { Clear(); }
  RequestBody(const RequestBody&) = delete;
  RequestBody& operator=(const RequestBody&) = delete;

  /// Says how much is to come, so that it is not copied while it grows. Costs nothing yet.
  void Expect(size_t size_bytes);
  /// False, and the body is gone, where there is no memory for it.
  bool Append(const void* data, size_t size_bytes);
  void Clear();
  size_t size() const { return size_; }

  /// What came, 64-byte aligned; null where nothing did. The body is empty then.
  std::shared_ptr<arrow::Buffer> Take();

 private:
  std::shared_ptr<MessageBudget> budget_;
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  size_t size_ = 0;  // all of it charged
};

}  // namespace arka::transport

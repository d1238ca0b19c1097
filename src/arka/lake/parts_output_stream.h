// An Arrow output stream into memory that grows by blocks instead of reallocating: what a writer
// produces goes to ObjectStore::Put as it lies. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include "arka/base/error.h"

namespace arka::lake {

class PartsOutputStream : public arrow::io::OutputStream {
 public:
  explicit PartsOutputStream(int64_t block_bytes = 1 << 20) : block_bytes_(block_bytes) {}

  Status Write(const void* data, int64_t nbytes) override;
  Status Write(const std::shared_ptr<arrow::Buffer>& data) override;
  using OutputStream::Write;
  Result<int64_t> Tell() const override { return size_; }
  Status Close() override;
  bool closed() const override { return closed_; }

  /// Everything written, in order. Ends the writing.
  Result<std::vector<std::shared_ptr<arrow::Buffer>>> Finish();

 private:
  void SealBlock();

  const int64_t block_bytes_;
  std::vector<std::shared_ptr<arrow::Buffer>> parts_;
  std::shared_ptr<arrow::ResizableBuffer> block_;  // the one being filled, or null
  int64_t filled_ = 0;                             // of block_
  int64_t size_ = 0;
  bool closed_ = false;
};

}  // namespace arka::lake

// An object of the store as a file that Arrow's readers read at random. Immutable, as objects are.
// Thread-safe; blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include "arka/base/error.h"
#include "arka/io/object_store.h"

namespace arka::lake {

class ObjectFile : public arrow::io::RandomAccessFile {
 public:
  /// `store` must outlive the file.
  ObjectFile(ObjectStore& store, std::string key, int64_t size_bytes)
      : store_(store), key_(std::move(key)), size_bytes_(size_bytes) {}

  Status Close() override;
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }
  Result<int64_t> GetSize() override { return size_bytes_; }
  Status Seek(int64_t position) override;
  Result<int64_t> Read(int64_t nbytes, void* out) override;
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override;
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes) override;
  Result<int64_t> ReadAt(int64_t position, int64_t nbytes, void* out) override;

 private:
  ObjectStore& store_;
  const std::string key_;
  const int64_t size_bytes_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace arka::lake

// One open file of PosixFs. Thread-safe where the ranges of concurrent calls do not overlap.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "arka/io/file_descriptor.h"
#include "arka/io/fs.h"

namespace arka {

class PosixFile final : public File {
 public:
  /// `path` is for messages only.
  PosixFile(FileDescriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> Read(int64_t offset, MutableByteSpan out) override;
  Status Write(int64_t offset, std::span<const ByteSpan> parts) override;
  /// Whole blocks go by O_DIRECT; what is left, and everything where that is refused, by Write.
  Status WriteUncached(int64_t offset, std::span<const ByteSpan> parts) override;
  Status Sync() override;
  Result<int64_t> Size() override;
  Status Truncate(int64_t size) override;
  Status Allocate(int64_t size) override;

 private:
  const FileDescriptor descriptor_;
  const std::string path_;
};

}  // namespace arka

// The ObjectStore seam in memory, for tests. Its root is "memory://objects". Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "arka/io/object_store.h"

namespace arka {

class MemoryObjectStore final : public ObjectStore {
 public:
  /// Parts are copied, so that a test may not change an object through a buffer that it kept.
  Status Put(std::string_view key, std::span<const std::shared_ptr<arrow::Buffer>> parts) override;
  Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                  int64_t length) override;
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override;
  Status Delete(std::string_view key) override;
  std::string Uri(std::string_view key) const override;
  Result<std::string> KeyOf(std::string_view uri) const override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<arrow::Buffer>, std::less<>> objects_;
};

}  // namespace arka

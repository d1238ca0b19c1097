#include "arka/testing/memory_object_store.h"

#include "arka/io/object_key.h"

namespace arka {
namespace {
constexpr std::string_view kRoot = "memory://objects/";
}  // namespace

Status MemoryObjectStore::Put(std::string_view key,
                              std::span<const std::shared_ptr<arrow::Buffer>> parts) {
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  std::string bytes;
  for (const auto& part : parts) bytes += std::string_view(*part);
  const std::lock_guard lock(mutex_);
  objects_.insert_or_assign(std::string(key), arrow::Buffer::FromString(std::move(bytes)));
  return Status::OK();
}

Result<std::shared_ptr<arrow::Buffer>> MemoryObjectStore::GetRange(std::string_view key,
                                                                   int64_t offset, int64_t length) {
  ARROW_ASSIGN_OR_RAISE(const auto object, Get(key));
  ARROW_RETURN_NOT_OK(ValidateObjectRange({std::string(key), object->size()}, offset, length));
  return arrow::SliceBuffer(object, offset, length);
}

Result<std::shared_ptr<arrow::Buffer>> MemoryObjectStore::Get(std::string_view key) {
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return Error(ErrorCode::kNotFound, "no object '", key, "'");
  return found->second;
}

Result<ObjectInfo> MemoryObjectStore::Head(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const auto object, Get(key));
  return ObjectInfo{std::string(key), object->size()};
}

Result<std::vector<ObjectInfo>> MemoryObjectStore::List(std::string_view prefix) {
  ARROW_RETURN_NOT_OK(ValidateObjectPrefix(prefix));
  std::vector<ObjectInfo> objects;
  const std::lock_guard lock(mutex_);
  for (auto it = objects_.lower_bound(prefix);
       it != objects_.end() && it->first.starts_with(prefix); ++it) {
    objects.push_back({it->first, it->second->size()});
  }
  return objects;
}

Status MemoryObjectStore::Delete(std::string_view key) {
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  const std::lock_guard lock(mutex_);
  if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
  return Status::OK();
}

std::string MemoryObjectStore::Uri(std::string_view key) const {
  return std::string(kRoot) + std::string(key);
}

Result<std::string> MemoryObjectStore::KeyOf(std::string_view uri) const {
  if (!uri.starts_with(kRoot)) {
    return Error(ErrorCode::kInvalidRequest, uri, " does not lie under ", kRoot);
  }
  const std::string_view key = uri.substr(kRoot.size());
  ARROW_RETURN_NOT_OK(ValidateObjectKey(key));
  return std::string(key);
}

}  // namespace arka

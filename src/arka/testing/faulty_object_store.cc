#include "arka/testing/faulty_object_store.h"

#include "arka/testing/faulty_call.h"

namespace arka {

Status FaultyObjectStore::Put(std::string_view key,
                              std::span<const std::shared_ptr<arrow::Buffer>> parts) {
  int64_t size = 0;
  for (const auto& part : parts) size += part->size();
  return CallUnderPlan(plan_, {"put", std::string(key), 0, size},
                       [&] { return base_.Put(key, parts); });
}

Result<std::shared_ptr<arrow::Buffer>> FaultyObjectStore::GetRange(std::string_view key,
                                                                   int64_t offset, int64_t length) {
  return CallUnderPlan(plan_, {"get_range", std::string(key), offset, length},
                       [&] { return base_.GetRange(key, offset, length); });
}

Result<std::shared_ptr<arrow::Buffer>> FaultyObjectStore::Get(std::string_view key) {
  return CallUnderPlan(plan_, {"get", std::string(key)}, [&] { return base_.Get(key); });
}

Result<ObjectInfo> FaultyObjectStore::Head(std::string_view key) {
  return CallUnderPlan(plan_, {"head", std::string(key)}, [&] { return base_.Head(key); });
}

Result<std::vector<ObjectInfo>> FaultyObjectStore::List(std::string_view prefix) {
  return CallUnderPlan(plan_, {"list", std::string(prefix)}, [&] { return base_.List(prefix); });
}

Status FaultyObjectStore::Delete(std::string_view key) {
  return CallUnderPlan(plan_, {"delete", std::string(key)}, [&] { return base_.Delete(key); });
}

}  // namespace arka

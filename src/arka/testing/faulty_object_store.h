// Any ObjectStore, with faults: asks a FaultPlan before every operation.
//
// Kinds: put, get_range, get, head, list, delete. Targets are keys or prefixes. A put is whole or
// not at all, so Effect::kPartial is kNone here. Uri and KeyOf never fail by plan. Thread-safe
// where the base is; base and plan outlive it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arka/io/object_store.h"
#include "arka/testing/fault_plan.h"

namespace arka {

class FaultyObjectStore final : public ObjectStore {
 public:
  FaultyObjectStore(ObjectStore& base, FaultPlan& plan) : base_(base), plan_(plan) {}

  Status Put(std::string_view key, std::span<const std::shared_ptr<arrow::Buffer>> parts) override;
  Result<std::shared_ptr<arrow::Buffer>> GetRange(std::string_view key, int64_t offset,
                                                  int64_t length) override;
  Result<std::shared_ptr<arrow::Buffer>> Get(std::string_view key) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override;
  Status Delete(std::string_view key) override;
  std::string Uri(std::string_view key) const override { return base_.Uri(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return base_.KeyOf(uri); }

 private:
  ObjectStore& base_;
  FaultPlan& plan_;
};

}  // namespace arka

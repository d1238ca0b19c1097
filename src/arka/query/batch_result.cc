#include "arka/query/batch_result.h"

#include "arka/query/ipc_payloads.h"

namespace arka::query {
namespace {

class Reader : public ResultReader {
 public:
  explicit Reader(std::shared_ptr<arrow::RecordBatch> batch) : batch_(std::move(batch)) {}

  Result<arrow::ipc::IpcPayload> Schema() override { return SchemaPayloadOf(*batch_->schema()); }
  Result<std::vector<arrow::ipc::IpcPayload>> Next() override {
    if (std::exchange(done_, true)) return std::vector<arrow::ipc::IpcPayload>();
    return BatchPayloadsOf(*batch_);
  }

 private:
  const std::shared_ptr<arrow::RecordBatch> batch_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<ResultReader>> BatchResult::Read(size_t part) {
  return std::make_unique<Reader>(batch_);
}

}  // namespace arka::query

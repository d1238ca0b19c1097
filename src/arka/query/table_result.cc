#include "arka/query/table_result.h"

#include <utility>

#include "arka/query/ipc_payloads.h"

namespace arka::query {
namespace {

class Reader : public ResultReader {
 public:
  Reader(const ReadSource& source, const std::shared_ptr<const TableSnapshot>& snapshot,
         const SnapshotPart& part)
      : schema_(snapshot->schema), scan_(source, snapshot, part) {}

  Result<arrow::ipc::IpcPayload> Schema() override { return SchemaPayloadOf(*schema_); }
  Result<std::vector<arrow::ipc::IpcPayload>> Next() override {
    ARROW_ASSIGN_OR_RAISE(const auto batch, scan_.Next());
    if (batch == nullptr) return std::vector<arrow::ipc::IpcPayload>();
    return BatchPayloadsOf(*batch);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  TableScan scan_;
};

}  // namespace

Result<std::unique_ptr<ResultReader>> TableResult::Read(size_t part) {
  return std::make_unique<Reader>(source_, snapshot_, parts_.at(part));
}

}  // namespace arka::query

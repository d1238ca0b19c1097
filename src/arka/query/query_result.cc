#include "arka/query/query_result.h"

#include <utility>

#include "arka/query/ipc_payloads.h"

namespace arka::query {
namespace {

class Reader : public ResultReader {
 public:
  explicit Reader(std::shared_ptr<SqlResult> rows) : rows_(std::move(rows)) {}

  Result<arrow::ipc::IpcPayload> Schema() override { return SchemaPayloadOf(*rows_->schema()); }

  Result<std::vector<arrow::ipc::IpcPayload>> Next() override {
    std::vector<arrow::ipc::IpcPayload> payloads;
    ARROW_ASSIGN_OR_RAISE(auto message, rows_->Next());
    if (!message) return payloads;
    arrow::ipc::IpcPayload& payload = payloads.emplace_back();
    payload.type = arrow::ipc::MessageType::RECORD_BATCH;
    payload.metadata = std::move(message->metadata);
    if (message->body == nullptr) return payloads;
    payload.body_length = message->body->size();
    payload.body_buffers = {std::move(message->body)};
    return payloads;
  }

  void Cancel() override { rows_->Cancel(); }

 private:
  const std::shared_ptr<SqlResult> rows_;
};

}  // namespace

std::vector<std::string> QueryResult::tables() const {
  std::vector<std::string> names;
  for (const auto& table : description_.tables) names.push_back(table.ToString());
  return names;
}

Result<std::unique_ptr<ResultReader>> QueryResult::Read(size_t part) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<SqlResult> rows, queries_.Execute(statement_));
  // What parameters make of the columns is known only once they are bound.
  if (statement_.parameters == nullptr && !rows->schema()->Equals(*description_.schema)) {
    return Error(
        ErrorCode::kUnavailable,
        "a table was altered since the query was described, so that its columns are others "
        "now: begin again with GetFlightInfo");
  }
  {
    std::lock_guard lock(mutex_);
    std::erase_if(running_, [](const auto& query) { return query.expired(); });
    running_.push_back(rows);
  }
  if (is_cancelled()) rows->Cancel();
  return std::make_unique<Reader>(std::move(rows));
}

void QueryResult::Cancel() {
  HeldResult::Cancel();
  std::lock_guard lock(mutex_);
  for (const auto& query : running_) {
    if (const auto rows = query.lock()) rows->Cancel();
  }
}

}  // namespace arka::query

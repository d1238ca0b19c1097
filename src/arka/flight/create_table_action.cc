#include "arka/flight/create_table_action.h"

#include <cstring>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <nlohmann/json.hpp>

#include "arka/base/base64.h"
#include "arka/flight/action_body.h"
#include "arka/flight/status_mapping.h"
#include "arka/ingest/stream_decoder.h"
#include "arka/protocol/table_name.h"

namespace arka::flight {
namespace {

// Of an encapsulated IPC message: a marker, the length of its metadata, the metadata.
constexpr size_t kPrefixBytes = 8;
constexpr uint32_t kContinuation = 0xFFFFFFFF;

class CreateTableAction : public Action {
 public:
  CreateTableAction(transport::ServerCall& call, protocol::TableName table)
      : call_(call), table_(std::move(table)) {}

  void Begin(acks::LoopContext& context, std::shared_ptr<arrow::Schema> schema) {
    context.engine.CreateTable(
        {table_.namespace_name, table_.name}, std::move(schema),
        [&loop = context.loop, weak = std::weak_ptr(self_)](Result<std::string> created) {
          loop.Post([weak, created = std::move(created)] {
            if (const auto alive = weak.lock()) (*alive)->Answer(created);
          });
        });
  }

 private:
  void Answer(const Result<std::string>& created) {
    if (!created.ok()) return call_.Finish(ToCallStatus(created.status()));
    const nlohmann::ordered_json answer = {{"table", table_.ToString()}, {"uuid", *created}};
    WriteActionResult(call_, answer.dump());
    call_.Finish({});
  }

  transport::ServerCall& call_;
  const protocol::TableName table_;
  const std::shared_ptr<CreateTableAction*> self_ = std::make_shared<CreateTableAction*>(this);
};

Result<std::shared_ptr<arrow::Schema>> SchemaOf(const ActionBody& body) {
  constexpr std::string_view kKey = "schema_ipc";
  ARROW_ASSIGN_OR_RAISE(const std::string text, body.Text(kKey, kMaxActionBodyBytes));
  auto bytes = DecodeBase64(text);
  if (!bytes) return body.Wrong(kKey, "is not Base64");
  uint32_t marker = 0, size = 0;
  if (bytes->size() > kPrefixBytes) {
    std::memcpy(&marker, bytes->data(), sizeof(marker));
    std::memcpy(&size, bytes->data() + sizeof(marker), sizeof(size));
  }
  if (marker != kContinuation || size == 0 || size > bytes->size() - kPrefixBytes) {
    return body.Wrong(kKey, "is not a whole Arrow IPC message");
  }
  const std::shared_ptr<arrow::Buffer> message = arrow::Buffer::FromString(std::move(*bytes));
  auto schema = ingest::DecodeSchema(arrow::SliceBuffer(message, kPrefixBytes, size));
  if (!schema.ok()) return body.Wrong(kKey, "is no schema: " + schema.status().message());
  return schema;
}

}  // namespace

Result<std::unique_ptr<Action>> StartCreateTable(const ActionContext& context,
                                                 std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body,
                        ActionBody::Parse("create_table", text, {"table", "schema_ipc"}));
  ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("table"));
  ARROW_ASSIGN_OR_RAISE(auto table, protocol::ParseTableName({name}, context.default_namespace));
  ARROW_RETURN_NOT_OK(context.call.caller().Require(auth::Right::kAdmin, table.ToString()));
  ARROW_ASSIGN_OR_RAISE(auto schema, SchemaOf(body));
  auto action = std::make_unique<CreateTableAction>(context.call, std::move(table));
  action->Begin(context.loop, std::move(schema));
  return action;
}

}  // namespace arka::flight

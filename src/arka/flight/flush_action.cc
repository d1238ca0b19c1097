#include "arka/flight/flush_action.h"

#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "arka/flight/action_body.h"
#include "arka/flight/level_wait.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/table_name.h"

namespace arka::flight {
namespace {

nlohmann::ordered_json FlushAnswer(const LevelWait& wait, Tier level) {
  return {{"lsn", wait.lsn().value}, {"level", TierName(level)}};
}

nlohmann::ordered_json CommitAnswer(const LevelWait& wait, Tier level) {
  auto tables = nlohmann::ordered_json::array();
  for (const auto& [table, last] : wait.tables()) {
    const auto commit = table->CommitOf(last);
    nlohmann::ordered_json snapshot;
    if (commit && commit->snapshot_id != 0) snapshot = commit->snapshot_id;
    tables.push_back({{"table", table->name().ToString()},
                      {"committed_lsn", table->committed_through().value},
                      {"snapshot_id", snapshot}});
  }
  return {{"lsn", wait.lsn().value}, {"tables", std::move(tables)}};
}

using MakeAnswer = nlohmann::ordered_json (*)(const LevelWait& wait, Tier level);

class FlushAction : public Action {
 public:
  FlushAction(const ActionContext& context, Tier level, MakeAnswer answer)
      : call_(context.call),
        context_(context.loop),
        level_(level),
        answer_(answer),
        wait_(context.loop, level, [this](const Status& ended) { OnEnded(ended); }) {}

  void BeginForAll() { wait_.BeginForAll(); }

  void BeginFor(const protocol::TableName& name) {
    const iceberg::TableIdentifier identifier{name.namespace_name, name.name};
    if (const auto* table = context_.engine.FindKnownTable(identifier))
      return wait_.BeginFor(table);
    // Nothing was written to it since the start, but there has to be one.
    context_.engine.CheckTable(
        identifier, [&loop = context_.loop, weak = std::weak_ptr(self_)](const Status& there) {
          loop.Post([weak, there] {
            if (const auto alive = weak.lock()) (*alive)->OnChecked(there);
          });
        });
  }

 private:
  void OnChecked(const Status& there) {
    if (has_ended_) return;
    if (!there.ok()) return OnEnded(there);
    wait_.BeginFor(nullptr);  // whatever was written to it meanwhile came after the call
  }

  void OnEnded(const Status& ended) {
    has_ended_ = true;
    if (ended.ok()) WriteActionResult(call_, answer_(wait_, level_).dump());
    call_.Finish(ToCallStatus(ended));
  }

  transport::ServerCall& call_;
  acks::LoopContext& context_;
  const Tier level_;
  const MakeAnswer answer_;
  bool has_ended_ = false;
  LevelWait wait_;
  const std::shared_ptr<FlushAction*> self_ = std::make_shared<FlushAction*>(this);
};

Result<std::unique_ptr<Action>> Start(const ActionContext& context, const ActionBody& body,
                                      Tier level, MakeAnswer answer) {
  std::optional<protocol::TableName> table;
  if (body.Has("table")) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("table"));
    ARROW_ASSIGN_OR_RAISE(table, protocol::ParseTableName({name}, context.default_namespace));
  }
  auth::Caller& caller = context.call.caller();
  ARROW_RETURN_NOT_OK(table ? caller.Require(auth::Right::kWrite, table->ToString())
                            : caller.RequireOnAll(auth::Right::kWrite));
  auto action = std::make_unique<FlushAction>(context, level, answer);
  table ? action->BeginFor(*table) : action->BeginForAll();
  return action;
}

}  // namespace

Result<std::unique_ptr<Action>> StartFlush(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse("flush", text, {"level", "table"}));
  ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("level"));
  const auto level = ParseTier(name);
  if (!level || *level == Tier::kMemory) {
    return body.Wrong("level", "is none of LOCAL_DISK, OBJECT_STORAGE, COMMITTED");
  }
  return Start(context, body, *level, FlushAnswer);
}

Result<std::unique_ptr<Action>> StartCommit(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::ParseOrEmpty("commit", text, {"table"}));
  return Start(context, body, Tier::kCommitted, CommitAnswer);
}

}  // namespace arka::flight

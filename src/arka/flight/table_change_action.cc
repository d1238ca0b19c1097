#include "arka/flight/table_change_action.h"

#include <utility>

#include "arka/flight/status_mapping.h"
#include "arka/protocol/table_name.h"

namespace arka::flight {
namespace {

class TableChangeAction : public Action {
 public:
  explicit TableChangeAction(transport::ServerCall& call) : call_(call) {}

  void Begin(acks::LoopContext& context, TableChange change) {
    context.engine.ChangeTables([&loop = context.loop, weak = std::weak_ptr(self_),
                                 change = std::move(change)](ingest::TableChanges& changes) {
      loop.Post([weak, answer = change(changes)] {
        if (const auto alive = weak.lock()) (*alive)->Answer(answer);
      });
    });
  }

 private:
  void Answer(const Result<nlohmann::ordered_json>& answer) {
    if (answer.ok()) WriteActionResult(call_, answer->dump());
    call_.Finish(ToCallStatus(answer.status()));
  }

  transport::ServerCall& call_;
  const std::shared_ptr<TableChangeAction*> self_ = std::make_shared<TableChangeAction*>(this);
};

}  // namespace

std::unique_ptr<Action> StartTableChange(const ActionContext& context, TableChange change) {
  auto action = std::make_unique<TableChangeAction>(context.call);
  action->Begin(context.loop, std::move(change));
  return action;
}

Result<iceberg::TableIdentifier> TableOf(const ActionContext& context, const ActionBody& body) {
  ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("table"));
  ARROW_ASSIGN_OR_RAISE(auto table, protocol::ParseTableName({name}, context.default_namespace));
  ARROW_RETURN_NOT_OK(context.call.caller().Require(auth::Right::kAdmin, table.ToString()));
  return iceberg::TableIdentifier{table.namespace_name, table.name};
}

}  // namespace arka::flight

#include "arka/flight/drop_table_action.h"

#include <string>
#include <utility>

#include "arka/flight/status_mapping.h"
#include "arka/flight/table_change_action.h"
#include "arka/flight/table_drop.h"

namespace arka::flight {
namespace {

class DropTableAction : public Action {
 public:
  DropTableAction(const ActionContext& context, const iceberg::TableIdentifier& table)
      : call_(context.call),
        name_(table.ToString()),
        drop_(context.loop, table, [this](const Result<std::string>& uuid) { Answer(uuid); }) {
    drop_.Begin();
  }

  void OnCancelled() override { drop_.GiveUp(); }

 private:
  void Answer(const Result<std::string>& uuid) {
    if (uuid.ok()) {
      const nlohmann::ordered_json answer = {{"table", name_}, {"uuid", *uuid}};
      WriteActionResult(call_, answer.dump());
    }
    call_.Finish(ToCallStatus(uuid.status()));
  }

  transport::ServerCall& call_;
  const std::string name_;
  TableDrop drop_;
};

}  // namespace

Result<std::unique_ptr<Action>> StartDropTable(const ActionContext& context,
                                               std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse("drop_table", text, {"table", "purge"}));
  ARROW_ASSIGN_OR_RAISE(const auto table, TableOf(context, body));
  ARROW_ASSIGN_OR_RAISE(const bool purge, body.BooleanOr("purge", false));
  if (purge) {
    return Error(ErrorCode::kUnimplemented,
                 "action drop_table: purge is not done by Arka: the table's files stay; drop it "
                 "without, and delete what is under its location");
  }
  return std::make_unique<DropTableAction>(context, table);
}

}  // namespace arka::flight

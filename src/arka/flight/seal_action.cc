#include "arka/flight/seal_action.h"

#include "arka/flight/table_change_action.h"

namespace arka::flight {

Result<std::unique_ptr<Action>> StartSeal(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse("seal", text, {"table"}));
  ARROW_ASSIGN_OR_RAISE(auto table, TableOf(context, body));
  return StartTableChange(
      context,
      [table = std::move(table)](ingest::TableChanges& changes) -> Result<nlohmann::ordered_json> {
        ARROW_ASSIGN_OR_RAISE(const Lsn last, changes.Seal(table));
        nlohmann::ordered_json answer = {{"table", table.ToString()}, {"last_lsn", nullptr}};
        if (last > kNoLsn) answer["last_lsn"] = last.value;
        return answer;
      });
}

Result<std::unique_ptr<Action>> StartUnseal(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse("unseal", text, {"table"}));
  ARROW_ASSIGN_OR_RAISE(auto table, TableOf(context, body));
  return StartTableChange(
      context,
      [table = std::move(table)](ingest::TableChanges& changes) -> Result<nlohmann::ordered_json> {
        ARROW_RETURN_NOT_OK(changes.Unseal(table));
        return nlohmann::ordered_json{{"table", table.ToString()}};
      });
}

}  // namespace arka::flight

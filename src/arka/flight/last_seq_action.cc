#include "arka/flight/last_seq_action.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "arka/flight/action_body.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/table_name.h"
#include "arka/protocol/write_headers.h"

namespace arka::flight {
namespace {

class LastSeqAction : public Action {
 public:
  LastSeqAction(transport::ServerCall& call, std::string producer, protocol::TableName table)
      : call_(call), producer_(std::move(producer)), table_(std::move(table)) {}

  void Begin(acks::LoopContext& context) {
    context.engine.FindLastSeq(
        {table_.namespace_name, table_.name}, producer_,
        [&loop = context.loop, weak = std::weak_ptr(self_)](Result<ingest::LastSeq> found) {
          loop.Post([weak, found = std::move(found)] {
            if (const auto alive = weak.lock()) (*alive)->Answer(found);
          });
        });
  }

 private:
  void Answer(const Result<ingest::LastSeq>& found) {
    if (!found.ok()) return call_.Finish(ToCallStatus(found.status()));
    nlohmann::ordered_json answer = {{"producer", producer_},
                                     {"table", table_.ToString()},
                                     {"last_seq", found->seq},
                                     {"lsn", nullptr}};
    if (found->seq > 0) answer["lsn"] = found->lsn.value;
    if (found->forgotten_through > kNoLsn) {
      answer["forgotten_through"] = found->forgotten_through.value;
    }
    WriteActionResult(call_, answer.dump());
    call_.Finish({});
  }

  transport::ServerCall& call_;
  const std::string producer_;
  const protocol::TableName table_;
  const std::shared_ptr<LastSeqAction*> self_ = std::make_shared<LastSeqAction*>(this);
};

}  // namespace

Result<std::unique_ptr<Action>> StartLastSeq(const ActionContext& context, std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body,
                        ActionBody::Parse("last_seq", text, {"producer", "table"}));
  ARROW_ASSIGN_OR_RAISE(std::string producer, body.Text("producer"));
  if (!protocol::IsClientName(producer)) {
    return body.Wrong("producer", "is not 1 to 128 printable characters");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("table"));
  ARROW_ASSIGN_OR_RAISE(auto table, protocol::ParseTableName({name}, context.default_namespace));
  ARROW_RETURN_NOT_OK(context.call.caller().Require(auth::Right::kWrite, table.ToString()));
  auto action =
      std::make_unique<LastSeqAction>(context.call, std::move(producer), std::move(table));
  action->Begin(context.loop);
  return action;
}

}  // namespace arka::flight

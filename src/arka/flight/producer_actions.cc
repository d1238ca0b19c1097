#include "arka/flight/producer_actions.h"

#include <functional>
#include <utility>

#include <nlohmann/json.hpp>

#include "arka/flight/action_body.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/table_name.h"
#include "arka/protocol/write_headers.h"

namespace arka::flight {
namespace {

class ProducerAction : public Action {
 public:
  /// `body` has a producer and a table that the caller may write to.
  static Result<std::unique_ptr<ProducerAction>> Parse(const ActionContext& context,
                                                       std::string_view name,
                                                       std::string_view text) {
    ARROW_ASSIGN_OR_RAISE(const auto body, ActionBody::Parse(name, text, {"producer", "table"}));
    ARROW_ASSIGN_OR_RAISE(std::string producer, body.Text("producer"));
    if (!protocol::IsClientName(producer)) {
      return body.Wrong("producer", "is not 1 to 128 printable characters");
    }
    ARROW_ASSIGN_OR_RAISE(const std::string table_name, body.Text("table"));
    ARROW_ASSIGN_OR_RAISE(auto table,
                          protocol::ParseTableName({table_name}, context.default_namespace));
    ARROW_RETURN_NOT_OK(context.call.caller().Require(auth::Right::kWrite, table.ToString()));
    return std::make_unique<ProducerAction>(context, std::move(producer), std::move(table));
  }

  ProducerAction(const ActionContext& context, std::string producer, protocol::TableName table)
      : call_(context.call),
        loop_(context.loop.loop),
        engine_(context.loop.engine),
        producer_(std::move(producer)),
        table_(std::move(table)) {}

  void FindLastSeq() {
    engine_.FindLastSeq({table_.namespace_name, table_.name}, producer_,
                        Answering<ingest::LastSeq>());
  }

  void Claim() {
    engine_.ClaimProducer({table_.namespace_name, table_.name}, producer_,
                          Answering<ingest::ProducerClaim>());
  }

 private:
  template <typename Found>
  std::function<void(Result<Found>)> Answering() {
    return [&loop = loop_, weak = std::weak_ptr(self_)](Result<Found> found) {
      loop.Post([weak, found = std::move(found)] {
        const auto alive = weak.lock();
        if (alive == nullptr) return;
        if (!found.ok()) return (*alive)->call_.Finish(ToCallStatus(found.status()));
        (*alive)->Answer(*found);
      });
    };
  }

  void Answer(const ingest::LastSeq& last) { Finish(Names(), last); }

  void Answer(const ingest::ProducerClaim& claim) {
    nlohmann::ordered_json answer = Names();
    answer["epoch"] = claim.epoch;
    Finish(std::move(answer), claim.last);
  }

  nlohmann::ordered_json Names() const {
    return {{"producer", producer_}, {"table", table_.ToString()}};
  }

  void Finish(nlohmann::ordered_json answer, const ingest::LastSeq& last) {
    answer["last_seq"] = last.seq;
    answer["lsn"] = nullptr;
    if (last.seq > 0) answer["lsn"] = last.lsn.value;
    if (last.forgotten_through > kNoLsn) answer["forgotten_through"] = last.forgotten_through.value;
    WriteActionResult(call_, answer.dump());
    call_.Finish({});
  }

  transport::ServerCall& call_;
  transport::EventLoop& loop_;
  ingest::Engine& engine_;
  const std::string producer_;
  const protocol::TableName table_;
  const std::shared_ptr<ProducerAction*> self_ = std::make_shared<ProducerAction*>(this);
};

}  // namespace

Result<std::unique_ptr<Action>> StartLastSeq(const ActionContext& context, std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(auto action, ProducerAction::Parse(context, "last_seq", body));
  action->FindLastSeq();
  return action;
}

Result<std::unique_ptr<Action>> StartClaimProducer(const ActionContext& context,
                                                   std::string_view body) {
  ARROW_ASSIGN_OR_RAISE(auto action, ProducerAction::Parse(context, "claim_producer", body));
  action->Claim();
  return action;
}

}  // namespace arka::flight

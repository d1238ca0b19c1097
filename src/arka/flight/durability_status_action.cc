#include "arka/flight/durability_status_action.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "arka/acks/engine_lookups.h"
#include "arka/acks/session_events.h"
#include "arka/flight/action_body.h"
#include "arka/flight/status_mapping.h"
#include "arka/protocol/ack_json.h"
#include "arka/protocol/write_headers.h"

namespace arka::flight {
namespace {

constexpr int64_t kMaxEvents = 1000;           // of one Result
constexpr size_t kMaxQueuedBytes = 256 << 10;  // of Results; the rest waits for the client

constexpr size_t kMaxLsns = 10'000;

class SessionStatusAction : public Action, public acks::Sleeper {
 public:
  SessionStatusAction(const ActionContext& context, acks::SessionEvents events, Lsn after_lsn,
                      std::optional<Tier> until)
      : call_(context.call),
        context_(context.loop),
        events_(std::move(events)),
        after_lsn_(after_lsn),
        until_(until),
        id_(context_.scheduler.Add(*this)) {}
  ~SessionStatusAction() override { context_.scheduler.Remove(id_); }

  void Flush() {
    if (finished_) return;
    const ingest::Progress progress = context_.engine.progress();
    while (call_.queued_bytes() < kMaxQueuedBytes) {
      const auto events = events_.Take(acks::ReachedOf(progress), kMaxEvents);
      if (events.empty()) return OnAllTaken(progress);
      Write(events);
    }
  }

  void OnWritable() override { Flush(); }
  void Wake(const ingest::Progress& progress) override { Flush(); }
  // What is committed while the server stops is still told.
  void Shutdown() override {}

 private:
  void Write(const std::vector<protocol::AckRun>& events) {
    std::string body = R"({"events":)" + protocol::EventsJson(events);
    if (!written_ && events_.forgotten_through() > after_lsn_) {
      body += R"(,"forgotten_through":)" + std::to_string(events_.forgotten_through().value);
    }
    written_ = true;
    WriteActionResult(call_, body + "}");
  }

  void OnAllTaken(const ingest::Progress& progress) {
    if (!until_ || events_.AllTakenThrough(*until_)) {
      if (!written_) Write({});
      return Finish(Status::OK());
    }
    if (progress.failed) return Finish(context_.engine.failure());
    for (Tier tier : {Tier::kLocalDisk, Tier::kObjectStorage, Tier::kCommitted}) {
      if (tier > *until_) break;
      for (const auto& pending : events_.PendingAt(tier)) {
        context_.scheduler.Await(id_, tier, pending.lsn, pending.table);
      }
    }
  }

  void Finish(const Status& status) {
    finished_ = true;
    call_.Finish(ToCallStatus(status));
  }

  transport::ServerCall& call_;
  acks::LoopContext& context_;
  acks::SessionEvents events_;
  const Lsn after_lsn_;
  const std::optional<Tier> until_;
  const acks::AckScheduler::SleeperId id_;
  bool written_ = false;
  bool finished_ = false;
};

Result<std::unique_ptr<Action>> StartSessionStatus(const ActionContext& context,
                                                   const ActionBody& body) {
  ARROW_ASSIGN_OR_RAISE(const std::string session, body.Text("session"));
  if (!protocol::IsClientName(session)) {
    return body.Wrong("session", "is not 1 to 128 printable characters");
  }
  ARROW_ASSIGN_OR_RAISE(const auto after, body.OptionalInteger("after_lsn"));
  const Lsn after_lsn{std::max(after.value_or(kNoLsn.value), kNoLsn.value)};
  std::optional<Tier> until;
  if (body.Has("until")) {
    ARROW_ASSIGN_OR_RAISE(const std::string name, body.Text("until"));
    until = ParseTier(name);
    if (!until) {
      return body.Wrong("until", "is none of MEMORY, LOCAL_DISK, OBJECT_STORAGE, COMMITTED");
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto writes,
                        context.sessions.WritesOf(context.call.caller().principal(), session));
  auto action = std::make_unique<SessionStatusAction>(
      context, acks::SessionEvents(writes, after_lsn, acks::TimesOf(context.loop.engine)),
      after_lsn, until);
  action->Flush();
  return action;
}

Status AnswerLevels(const ActionContext& context, const ActionBody& body) {
  ARROW_ASSIGN_OR_RAISE(const auto lsns, body.Integers("lsns", kMaxLsns));
  std::vector<ingest::LsnLevel> levels;
  for (int64_t lsn : lsns) {
    ARROW_ASSIGN_OR_RAISE(auto level, context.loop.engine.LevelOf(Lsn{lsn}));
    levels.push_back(level);
  }
  for (size_t begin = 0; begin < lsns.size(); begin += kMaxEvents) {
    const size_t end = std::min(lsns.size(), begin + kMaxEvents);
    std::string result = R"({"levels":[)";
    for (size_t i = begin; i < end; ++i) {
      if (i > begin) result += ',';
      result += R"({"lsn":)" + std::to_string(lsns[i]) + R"(,"durability_level":)";
      if (levels[i].tier) {
        result += '"' + std::string(TierName(*levels[i].tier)) + R"(","lost":false})";
      } else {
        result += R"(null,"lost":true})";
      }
    }
    WriteActionResult(context.call, result + "]}");
  }
  context.call.Finish({});
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<Action>> StartDurabilityStatus(const ActionContext& context,
                                                      std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(
      const auto body,
      ActionBody::Parse("durability_status", text, {"session", "after_lsn", "until", "lsns"}));
  if (!body.Has("lsns")) return StartSessionStatus(context, body);
  for (std::string_view other : {"session", "after_lsn", "until"}) {
    if (body.Has(other)) return body.Wrong(other, "does not go together with 'lsns'");
  }
  ARROW_RETURN_NOT_OK(AnswerLevels(context, body));
  return nullptr;
}

}  // namespace arka::flight

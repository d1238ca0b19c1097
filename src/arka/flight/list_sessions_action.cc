#include "arka/flight/list_sessions_action.h"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "arka/flight/action_body.h"

namespace arka::flight {
namespace {

constexpr size_t kMaxSessions = 1000;  // of one call

}  // namespace

Result<std::unique_ptr<Action>> StartListSessions(const ActionContext& context,
                                                  std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(const auto body,
                        ActionBody::ParseOrEmpty("list_sessions", text, {"after"}));
  std::string after;
  if (body.Has("after")) {
    ARROW_ASSIGN_OR_RAISE(after, body.Text("after"));
  }
  const auto listed =
      context.sessions.List(context.call.caller().principal(), after, kMaxSessions + 1);
  auto sessions = nlohmann::ordered_json::array();
  for (size_t i = 0; i < std::min(listed.size(), kMaxSessions); ++i) {
    const acks::SessionSummary& session = listed[i];
    nlohmann::ordered_json entry = {{"session", session.name},
                                    {"open_streams", session.open_streams},
                                    {"ended_streams", session.ended_streams},
                                    {"last_lsn", nullptr}};
    if (session.last_lsn > kNoLsn) entry["last_lsn"] = session.last_lsn.value;
    sessions.push_back(std::move(entry));
  }
  const nlohmann::ordered_json answer = {{"sessions", std::move(sessions)},
                                         {"more", listed.size() > kMaxSessions}};
  WriteActionResult(context.call, answer.dump());
  context.call.Finish({});
  return nullptr;
}

}  // namespace arka::flight

#include "arka/flight/session_options_actions.h"

#include <string>

#include "arka/flight/flight.pb.h"

namespace arka::flight {

namespace messages = ::arrow::flight::protocol;

namespace {

Status CannotParse(std::string_view action) {
  return Error(ErrorCode::kInvalidRequest, "action ", action, ": the body is not a ", action,
               "Request");
}

}  // namespace

Result<std::unique_ptr<Action>> StartSetSessionOptions(const ActionContext& context,
                                                       std::string_view body) {
  messages::SetSessionOptionsRequest request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return CannotParse("SetSessionOptions");
  }
  using Answer = messages::SetSessionOptionsResult;
  Answer answer;
  SessionOptions options;
  const query::TableNaming naming{context.reads.source.catalog_name, context.default_namespace};
  for (const auto& [name, value] : request.session_options()) {
    using Value = messages::SessionOptionValue;
    const bool is_text = value.option_value_case() == Value::kStringValue ||
                         value.option_value_case() == Value::OPTION_VALUE_NOT_SET;
    const Status checked = CheckSessionOption(naming, name, value.string_value());
    if (checked.ok() && is_text) {
      options[name] = value.string_value();
      continue;
    }
    const bool unknown = CodeOf(checked) == ErrorCode::kNotFound && !checked.ok();
    (*answer.mutable_errors())[name].set_value(unknown ? Answer::INVALID_NAME
                                                       : Answer::INVALID_VALUE);
  }
  const auto made = context.client_sessions.Set(context.call.caller().principal(),
                                                context.call.metadata(), options);
  if (made) {
    context.call.SendHeaders(
        {{"set-cookie", std::string(kSessionCookie) + "=" + *made + "; HttpOnly"}});
  }
  WriteActionResult(context.call, answer.SerializeAsString());
  context.call.Finish({});
  return nullptr;
}

Result<std::unique_ptr<Action>> StartGetSessionOptions(const ActionContext& context,
                                                       std::string_view body) {
  messages::GetSessionOptionsResult answer;
  auto& options = *answer.mutable_session_options();
  options["catalog"].set_string_value(context.reads.source.catalog_name);
  options["schema"].set_string_value(context.default_namespace);
  WriteActionResult(context.call, answer.SerializeAsString());
  context.call.Finish({});
  return nullptr;
}

Result<std::unique_ptr<Action>> StartCloseSession(const ActionContext& context,
                                                  std::string_view body) {
  if (!context.client_sessions.Close(context.call.caller().principal(), context.call.metadata())) {
    return Error(ErrorCode::kNotFound, "the call belongs to no session: it has no cookie ",
                 kSessionCookie, ", or one that is not known (any more)");
  }
  context.call.SendHeaders({{"set-cookie", std::string(kSessionCookie) + "=; Max-Age=0"}});
  messages::CloseSessionResult answer;
  answer.set_status(messages::CloseSessionResult::CLOSED);
  WriteActionResult(context.call, answer.SerializeAsString());
  context.call.Finish({});
  return nullptr;
}

}  // namespace arka::flight

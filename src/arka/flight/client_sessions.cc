#include "arka/flight/client_sessions.h"

#include <algorithm>

#include "arka/protocol/table_name.h"

namespace arka::flight {
namespace {

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\"") - first + 1);
}

}  // namespace

std::optional<std::string> CookieOf(const transport::Metadata& metadata, std::string_view name) {
  for (const auto& [header, cookies] : metadata) {
    if (header != "cookie") continue;
    for (std::string_view rest = cookies; !rest.empty();) {
      const size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view cookie = rest.substr(0, end);
      const size_t equals = cookie.find('=');
      if (equals != std::string_view::npos && Trimmed(cookie.substr(0, equals)) == name) {
        return std::string(Trimmed(cookie.substr(equals + 1)));
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return std::nullopt;
}

Status CheckSessionOption(const query::TableNaming& naming, std::string_view name,
                          const std::string& value) {
  if (name == "catalog") {
    if (value.empty() || naming.CheckCatalog(value).ok()) return Status::OK();
    return Error(ErrorCode::kInvalidRequest, "there is no catalog but '", naming.catalog, "'");
  }
  if (name == "schema") {
    if (value.empty()) return Status::OK();
    return protocol::ParseTableName({value, "t"}, value).status();
  }
  return Error(ErrorCode::kNotFound, "no session option '", std::string(name.substr(0, 100)),
               "'; there are: catalog, schema");
}

ClientSessions::Session* ClientSessions::Find(const std::string& principal,
                                              const transport::Metadata& metadata) {
  const auto name = CookieOf(metadata, kSessionCookie);
  if (!name) return nullptr;
  const auto found = sessions_.find(*name);
  if (found == sessions_.end() || found->second.principal != principal) return nullptr;
  found->second.last_used = clock_.Now();
  return &found->second;
}

SessionOptions ClientSessions::OptionsOf(const std::string& principal,
                                         const transport::Metadata& metadata) {
  std::lock_guard lock(mutex_);
  const Session* session = Find(principal, metadata);
  return session == nullptr ? SessionOptions() : session->options;
}

std::optional<std::string> ClientSessions::Set(const std::string& principal,
                                               const transport::Metadata& metadata,
                                               const SessionOptions& options) {
  std::lock_guard lock(mutex_);
  Session* session = Find(principal, metadata);
  std::optional<std::string> made;
  if (session == nullptr) {
    if (sessions_.size() >= limits_.sessions) {
      sessions_.erase(std::ranges::min_element(
          sessions_, {}, [](const auto& entry) { return entry.second.last_used; }));
    }
    made = MakeUuid(random_);
    session = &sessions_[*made];
    session->principal = principal;
    session->last_used = clock_.Now();
  }
  for (const auto& [name, value] : options) {
    value.empty() ? (void)session->options.erase(name) : (void)(session->options[name] = value);
  }
  return made;
}

bool ClientSessions::Close(const std::string& principal, const transport::Metadata& metadata) {
  std::lock_guard lock(mutex_);
  if (Find(principal, metadata) == nullptr) return false;
  sessions_.erase(*CookieOf(metadata, kSessionCookie));
  return true;
}

void ClientSessions::Sweep() {
  const SteadyTime oldest = clock_.Now() - limits_.lifetime;
  std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.last_used < oldest; });
}

}  // namespace arka::flight

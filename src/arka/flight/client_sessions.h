// What clients have set for their sessions: Flight's session options, held by a cookie.
//
// A session begins with its first option, belongs to the principal who set it, and is named by the
// cookie that the answer sets; it is
// forgotten an hour after it was last used, or where there are too many, the oldest first. Nothing
// but names and options is kept. Owned by the FlightService; thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "arka/base/error.h"
#include "arka/io/clock.h"
#include "arka/io/random.h"
#include "arka/query/table_naming.h"
#include "arka/transport/call.h"

namespace arka::flight {

/// The cookie of Arrow's session middleware.
inline constexpr std::string_view kSessionCookie = "arrow_flight_session_id";

/// The value of the cookie `name` in the call's `cookie` headers; nothing where there is none.
std::optional<std::string> CookieOf(const transport::Metadata& metadata, std::string_view name);

/// By their names: `catalog`, `schema`.
using SessionOptions = std::map<std::string, std::string, std::less<>>;

/// kNotFound for a name that is no option; kInvalidRequest for a value that it cannot have.
Status CheckSessionOption(const query::TableNaming& naming, std::string_view name,
                          const std::string& value);

struct ClientSessionLimits {
  std::chrono::milliseconds lifetime{3'600'000};  // since the last use
  size_t sessions = 10'000;
};

class ClientSessions {
 public:
  /// Both must outlive the sessions.
  ClientSessions(const Clock& clock, Random& random, ClientSessionLimits limits = {})
      : clock_(clock), random_(random), limits_(limits) {}

  /// The options of the session that the call belongs to; none where it belongs to none.
  SessionOptions OptionsOf(const std::string& principal, const transport::Metadata& metadata);
  /// Sets `options` (an empty value: as if it had never been set) in the call's session, or in a
  /// new one. Answers the name of a new one.
  std::optional<std::string> Set(const std::string& principal, const transport::Metadata& metadata,
                                 const SessionOptions& options);
  /// Forgets the call's session; false where it belongs to none.
  bool Close(const std::string& principal, const transport::Metadata& metadata);

  /// Forgets what was not used for long.
  void Sweep();

 private:
  struct Session {
    std::string principal;
    SessionOptions options;
    SteadyTime last_used;
  };

  Session* Find(const std::string& principal,
                const transport::Metadata& metadata);  // with mutex_ held

  const Clock& clock_;
  Random& random_;
  const ClientSessionLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;  // by name; guarded by mutex_
};

}  // namespace arka::flight

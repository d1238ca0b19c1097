// Where the keys of a JWT issuer come from: a file, or the issuer's JWKS URL.
//
// Refresh, called every second or so on a thread of its own, reads the file, or asks the URL where
// that is due: every ten minutes, and soon after a token came with a key that is not known, but
// never twice within 30 seconds. What cannot be read changes nothing. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "arka/auth/json_web_key.h"
#include "arka/io/clock.h"
#include "arka/io/fs.h"
#include "arka/io/http_client.h"

namespace arka::auth {

class JwtKeys {
 public:
  /// All must outlive it; `http` is null where `location` is a file. A file has to be there and in
  /// order; a URL that does not answer leaves no keys, for now. kInvalidRequest for a URL that is
  /// neither https:// nor of this machine: whoever changes the keys on their way gets in.
  static Result<std::unique_ptr<JwtKeys>> Open(Fs& fs, HttpClient* http, const Clock& clock,
                                               std::string location);

  static bool IsUrl(std::string_view location);

  /// kUnavailable where there are none yet.
  Result<std::shared_ptr<const JsonWebKeys>> current() const;
  /// A key was asked for that is not there.
  void Miss() { missed_ = true; }

  Status Refresh();

 private:
  JwtKeys(Fs& fs, HttpClient* http, const Clock& clock, std::string location)
      : fs_(fs), http_(http), clock_(clock), location_(std::move(location)) {}

  bool IsDue();
  Result<std::string> Read();

  Fs& fs_;
  HttpClient* const http_;
  const Clock& clock_;
  const std::string location_;
  std::string seen_;  // digest of what was looked at last
  std::optional<SteadyTime> asked_at_;
  std::atomic<bool> missed_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const JsonWebKeys> current_;  // guarded by mutex_
};

}  // namespace arka::auth

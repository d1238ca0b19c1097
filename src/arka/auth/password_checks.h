// Checks passwords against their hashes: slow, so on a thread of its own, and remembered.
//
// A password that was good is known again for `remember` by a keyed digest, never as itself; the
// key dies with the process. The same password asked for many times at once is checked once. Who
// fails often has to wait (failure_limit.h), and so has everybody where too many different ones
// wait. Owned by the Authenticator; thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arka/auth/failure_limit.h"
#include "arka/auth/password_hash.h"
#include "arka/base/error.h"
#include "arka/base/task_queue.h"
#include "arka/io/clock.h"

namespace arka::auth {

struct PasswordChecksOptions {
  std::chrono::seconds remember{300};
  size_t max_remembered = 10'000;
  size_t max_waiting = 64;  // different passwords
  int threads = 1;          // 0: none, whoever asks checks
  FailureLimitOptions failures;
};

class PasswordChecks {
 public:
  /// OK: the password is right. kUnauthenticated: it is not, without saying whether the user is
  /// there. kBackpressure: try again later.
  using Done = std::function<void(const Status&)>;

  /// `clock` must outlive the checks.
  explicit PasswordChecks(const Clock& clock, PasswordChecksOptions options = {});
  /// Whoever still waits is told to try again.
  ~PasswordChecks() { stopping_ = true; }

  /// `hash` is the user's; without one the answer is no, and takes as long. `done` is called before
  /// this returns where the answer is known, else on the thread of the checks.
  void Check(const std::string& user, std::string password, const std::optional<PasswordHash>& hash,
             const std::string& peer, Done done);

 private:
  struct Waiting {
    std::string peer;
    Done done;
  };

  void Run(const std::string& key, const PasswordHash& hash, bool has_user, std::string password);
  void Remember(const std::string& key);  // with mutex_ held

  const Clock& clock_;
  const PasswordChecksOptions options_;
  const std::string key_;
  const PasswordHash nobodys_hash_;
  FailureLimit failures_;
  std::mutex mutex_;
  std::map<std::string, SteadyTime> good_until_;         // by keyed digest; guarded by mutex_
  std::map<std::string, std::vector<Waiting>> waiting_;  // the same
  std::atomic<bool> stopping_{false};
  TaskQueue thread_;  // last: its tasks use the rest
};

}  // namespace arka::auth

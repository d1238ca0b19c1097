#include "arka/auth/password_checks.h"

#include <algorithm>
#include <utility>

#include "arka/auth/digest.h"

namespace arka::auth {
namespace {

constexpr size_t kKeyBytes = 32;
// A well-formed hash that is no password's: what users that are not there are checked against.
constexpr std::string_view kNobodysHash =
    "scrypt$32768$8$3$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

Status Wrong() { return Error(ErrorCode::kUnauthenticated, "wrong user or password"); }

}  // namespace

PasswordChecks::PasswordChecks(const Clock& clock, PasswordChecksOptions options)
    : clock_(clock),
      options_(options),
      key_(SecretBytes(kKeyBytes)),
      nobodys_hash_(PasswordHash::Parse(kNobodysHash).ValueOrDie()),
      failures_(clock, options.failures),
      thread_("arka-login", options.threads) {}

void PasswordChecks::Check(const std::string& user, std::string password,
                           const std::optional<PasswordHash>& hash, const std::string& peer,
                           Done done) {
  // The sizes keep different pairs different; the hash makes a changed one be checked anew.
  std::string asked =
      std::to_string(user.size()) + ":" + user + (hash ? hash->ToString() : "") + ":" + password;
  const std::string key = HmacSha256(key_, asked);
  Erase(asked);
  {
    std::unique_lock lock(mutex_);
    const auto good = good_until_.find(key);
    if (good != good_until_.end() && good->second > clock_.Now()) {
      lock.unlock();
      return done(Status::OK());
    }
    if (failures_.IsReached(peer)) {
      lock.unlock();
      return done(Error(ErrorCode::kBackpressure,
                        "too many failed log-ins from this address; try again in ",
                        options_.failures.one_every.count(), " s"));
    }
    if (waiting_.size() >= options_.max_waiting && !waiting_.contains(key)) {
      lock.unlock();
      return done(
          Error(ErrorCode::kBackpressure, "too many log-ins at once; try again in a few seconds"));
    }
    auto& waiting = waiting_[key];
    waiting.push_back({peer, std::move(done)});
    if (waiting.size() > 1) return;
  }
  thread_.Post([this, key, hash = hash.value_or(nobodys_hash_), has_user = hash.has_value(),
                password = std::move(password)]() mutable {
    Run(key, hash, has_user, std::move(password));
  });
}

void PasswordChecks::Run(const std::string& key, const PasswordHash& hash, bool has_user,
                         std::string password) {
  const bool stopping = stopping_;
  const bool good = !stopping && hash.Matches(password) && has_user;
  Erase(password);
  std::vector<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(waiting_.extract(key).mapped());
    if (good) Remember(key);
  }
  if (!good) failures_.Add(waiting.front().peer);
  const Status answer = good       ? Status::OK()
                        : stopping ? Error(ErrorCode::kShuttingDown, "the server is shutting down")
                                   : Wrong();
  for (const Waiting& one : waiting) one.done(answer);
}

void PasswordChecks::Remember(const std::string& key) {
  const SteadyTime now = clock_.Now();
  if (good_until_.size() >= options_.max_remembered) {
    std::erase_if(good_until_, [&](const auto& entry) { return entry.second <= now; });
  }
  if (good_until_.size() >= options_.max_remembered) good_until_.erase(good_until_.begin());
  good_until_[key] = now + options_.remember;
}

}  // namespace arka::auth
